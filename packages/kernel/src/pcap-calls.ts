import { UnsupportedError } from '@skydive/contracts'
import koffi from 'koffi'

/** The names of libpcap: Debian's, then everybody else's. */
export const PCAP_LIBRARIES: readonly string[] = ['libpcap.so.0.8', 'libpcap.so.1']

/** An address in C. */
export type Pointer = bigint | null

/** The functions of libpcap that this package stands on, and those of the C library for the stream that it writes to. */
export type PcapCalls = ReturnType<typeof bindCalls>

/** @throws ERR_UNSUPPORTED naming the package when none of `names` can be loaded. */
export function loadPcapCalls(names: readonly string[]): { readonly name: string; readonly calls: PcapCalls } {
  for (const name of names) {
    let library: ReturnType<typeof koffi.load>
    try {
      library = koffi.load(name)
    } catch {
      continue
    }
    return { name, calls: bindCalls(library) }
  }
  throw new UnsupportedError(
    `no libpcap: none of ${names.join(', ')} can be loaded; install the package libpcap0.8 (Debian) or libpcap`,
    { file: names.join(', '), package: 'libpcap0.8' },
  )
}

/**
 * Keeps the library in memory and closes what another thread of this process opened by it and left. It goes when its last thread ends, and
 * what it had opened points into it: whoever comes after that would jump to where it was. `undefined` when there is none.
 */
export function holdPcapLibrary(): { close(handle: bigint): void } | undefined {
  try {
    const { calls } = loadPcapCalls(PCAP_LIBRARIES)
    return { close: (handle) => calls.close(handle) }
  } catch {
    return undefined
  }
}

function bindCalls(library: ReturnType<typeof koffi.load>) {
  const c = koffi.load(null)
  return {
    version: library.func('pcap_lib_version', 'str', []) as () => string,
    create: library.func('pcap_create', 'void *', ['str', 'void *']) as (name: string, error: Uint8Array) => Pointer,
    setSnapLength: library.func('pcap_set_snaplen', 'int', ['void *', 'int']) as (handle: bigint, bytes: number) => number,
    setPromiscuous: library.func('pcap_set_promisc', 'int', ['void *', 'int']) as (handle: bigint, on: number) => number,
    setTimeout: library.func('pcap_set_timeout', 'int', ['void *', 'int']) as (handle: bigint, ms: number) => number,
    setBufferSize: library.func('pcap_set_buffer_size', 'int', ['void *', 'int']) as (handle: bigint, bytes: number) => number,
    setPrecision: library.func('pcap_set_tstamp_precision', 'int', ['void *', 'int']) as (handle: bigint, unit: number) => number,
    precision: library.func('pcap_get_tstamp_precision', 'int', ['void *']) as (handle: bigint) => number,
    activate: library.func('pcap_activate', 'int', ['void *']) as (handle: bigint) => number,
    setNonBlocking: library.func('pcap_setnonblock', 'int', ['void *', 'int', 'void *']) as (
      handle: bigint,
      on: number,
      error: Uint8Array,
    ) => number,
    openFile: library.func('pcap_open_offline_with_tstamp_precision', 'void *', ['str', 'uint', 'void *']) as (
      path: string,
      unit: number,
      error: Uint8Array,
    ) => Pointer,
    selectableFd: library.func('pcap_get_selectable_fd', 'int', ['void *']) as (handle: bigint) => number,
    dataLink: library.func('pcap_datalink', 'int', ['void *']) as (handle: bigint) => number,
    snapshot: library.func('pcap_snapshot', 'int', ['void *']) as (handle: bigint) => number,
    compile: library.func('pcap_compile', 'int', ['void *', 'void *', 'str', 'int', 'uint']) as (
      handle: bigint,
      program: Uint8Array,
      expression: string,
      optimize: number,
      netmask: number,
    ) => number,
    freeCode: library.func('pcap_freecode', 'void', ['void *']) as (program: Uint8Array) => void,
    setFilter: library.func('pcap_setfilter', 'int', ['void *', 'void *']) as (handle: bigint, program: bigint) => number,
    /** Calls `dump` for each packet with `dumper`, both inside the library. */
    dispatch: library.func('pcap_dispatch', 'int', ['void *', 'int', 'void *', 'void *']) as (
      handle: bigint,
      most: number,
      dump: bigint,
      dumper: bigint,
    ) => number,
    dump: koffi.address(library.symbol('pcap_dump')),
    openDump: library.func('pcap_dump_fopen', 'void *', ['void *', 'void *']) as (handle: bigint, stream: bigint) => Pointer,
    closeDump: library.func('pcap_dump_close', 'void', ['void *']) as (dumper: bigint) => void,
    stats: library.func('pcap_stats', 'int', ['void *', 'void *']) as (handle: bigint, into: Uint32Array) => number,
    reason: library.func('pcap_geterr', 'str', ['void *']) as (handle: bigint) => string,
    close: library.func('pcap_close', 'void', ['void *']) as (handle: bigint) => void,
    openMemory: c.func('fmemopen', 'void *', ['void *', 'size_t', 'str']) as (
      at: bigint,
      byteLength: number,
      mode: string,
    ) => Pointer,
    flush: c.func('fflush', 'int', ['void *']) as (stream: bigint) => number,
    position: c.func('ftell', 'long', ['void *']) as (stream: bigint) => number | bigint,
    seek: c.func('fseek', 'int', ['void *', 'long', 'int']) as (stream: bigint, offset: number, from: number) => number,
    closeStream: c.func('fclose', 'int', ['void *']) as (stream: bigint) => number,
  }
}
