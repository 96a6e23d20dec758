import {
  InvalidArgumentError,
  NotFoundError,
  PermissionError,
  type SkydiveError,
  UnavailableError,
  UnsupportedError,
} from '@skydive/contracts'
import koffi from 'koffi'
import { pcapEntries, withLedger } from './ledger.ts'
import { type Libc, loadLibc } from './libc.ts'
import { fileLinkType } from './link-type.ts'
import { mapMemory } from './memory.ts'
import { loadPcapCalls, PCAP_LIBRARIES, type PcapCalls, type Pointer } from './pcap-calls.ts'

const ERROR_BYTES = 256
/** struct bpf_program: unsigned count, then a pointer to the instructions of eight bytes each. */
const PROGRAM_BYTES = 16
const INSTRUCTION_BYTES = 8
const UNKNOWN_NETMASK = 0xffffffff
const PRECISION_NANO = 1
/** struct pcap_file_header and struct pcap_sf_pkthdr (pcap/pcap.h). */
const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const SEEK_SET = 0
/** What one call hands over: large enough that the calls cost nothing, small enough for the cache. */
const RECORDS_BYTES = 1024 * 1024
/** With long packets the memory grows, so that a call still brings some. */
const MIN_RECORDS = 32

/** Errors of pcap_activate (pcap/pcap.h). */
const PCAP_ERROR_NO_SUCH_DEVICE = -5
const PCAP_ERROR_PERM_DENIED = -8
const PCAP_ERROR_IFACE_NOT_UP = -9
const PCAP_ERROR_PROMISC_PERM_DENIED = -11

/** How an interface is opened. */
export interface PcapLiveOptions {
  readonly interfaceName: string
  /** Bytes kept of a packet. */
  readonly snapLength: number
  readonly promiscuous: boolean
  /** Memory in which packets wait. */
  readonly bufferBytes: number
  /** How long packets may wait to be handed over together. */
  readonly retireMs: number
}

/** Counters since the interface was opened. What was dropped for want of room counts as received by libpcap as well. */
export interface PcapStats {
  readonly received: number
  readonly dropped: number
  readonly droppedByInterface: number
}

/** An open interface or file. Belongs to the thread that opened it. */
export interface PcapHandle {
  /** Link type as in capture files: 1 Ethernet, 101 raw IP, 113 Linux cooked. */
  readonly linkType: number
  /** Whether the fraction of a time stamp is in ns rather than in µs. */
  readonly nanoseconds: boolean
  /** Can be read when packets wait; -1 where this kind of device has none. Of a file it is always readable. */
  readonly fd: number
  /** Whole records of a pcap file in the byte order of the host; valid until the next {@link PcapHandle.read}. */
  readonly records: Uint8Array
  /** How many bytes of {@link PcapHandle.records} the last read filled. */
  readonly recordBytes: number
  /** The program for an expression, 8 bytes an instruction. @throws ERR_INVALID_ARGUMENT with libpcap's own reason. */
  compile(expression: string): Uint8Array
  /** Applies a program to all that is handed over from now on. @throws ERR_INVALID_ARGUMENT for one that libpcap refuses. */
  setFilter(program: Uint8Array): void
  /** Takes what waits, as much as fits, without blocking; answers the number of packets. @throws ERR_UNAVAILABLE when the interface is gone. */
  read(): number
  /** Zeros for a file. */
  stats(): PcapStats
  /** A second call does nothing. */
  close(): void
}

/** libpcap, loaded. */
export interface PcapLibrary {
  /** The library in use, such as `libpcap.so.0.8`. */
  readonly library: string
  /** What it says of itself: `libpcap version 1.10.3 (with TPACKET_V3)`. */
  readonly version: string
  /**
   * Opens an interface of the namespace in which the thread is. It is non-blocking.
   * @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_UNAVAILABLE (it is down), ERR_UNSUPPORTED (no records can be made of its packets).
   */
  openLive(options: PcapLiveOptions): PcapHandle
  /** Opens a pcap or pcapng file. @throws ERR_INVALID_ARGUMENT with libpcap's own reason. */
  openFile(path: string): PcapHandle
}

/**
 * Loads libpcap. `names` are tried in order; {@link PCAP_LIBRARIES} by default. What it opens is entered into the `ledger` of the thread, if
 * there is one. Costs some milliseconds.
 * @throws ERR_UNSUPPORTED naming the package when none can be loaded.
 */
export function loadPcapLibrary(names: readonly string[] = PCAP_LIBRARIES, ledger?: SharedArrayBuffer): PcapLibrary {
  const { name, calls: bare } = loadPcapCalls(names)
  const calls = ledger ? enteringCalls(bare, ledger) : bare
  const libc = ledger ? withLedger(loadLibc(), ledger) : loadLibc()
  return {
    library: name,
    version: calls.version(),
    openLive: (options) => openLive(calls, libc, options),
    openFile: (path) => openFile(calls, libc, path),
  }
}

/** The same calls, of which those that open and close are entered. */
function enteringCalls(calls: PcapCalls, ledger: SharedArrayBuffer): PcapCalls {
  const entries = pcapEntries(ledger)
  const opened = (handle: Pointer) => {
    if (handle) entries.note(handle)
    return handle
  }
  return {
    ...calls,
    create: (name, error) => opened(calls.create(name, error)),
    openFile: (path, unit, error) => opened(calls.openFile(path, unit, error)),
    close(handle) {
      entries.forget(handle)
      calls.close(handle)
    },
  }
}

function openLive(calls: PcapCalls, libc: Libc, options: PcapLiveOptions): PcapHandle {
  const { interfaceName } = options
  const error = new Uint8Array(ERROR_BYTES)
  const handle = calls.create(interfaceName, error)
  if (!handle) throw new NotFoundError(`libpcap: open ${interfaceName}: ${text(error)}`, { interfaceName })
  try {
    calls.setSnapLength(handle, options.snapLength)
    calls.setPromiscuous(handle, options.promiscuous ? 1 : 0)
    calls.setTimeout(handle, options.retireMs)
    calls.setBufferSize(handle, options.bufferBytes)
    // Refused by devices that can't: they stay at µs.
    calls.setPrecision(handle, PRECISION_NANO)
    const status = calls.activate(handle)
    // What is greater than zero is a warning, such as that the device knows no promiscuous mode.
    if (status < 0) throw activationError(status, interfaceName, calls.reason(handle))
    if (calls.setNonBlocking(handle, 1, error) !== 0) {
      throw new UnsupportedError(`libpcap: ${interfaceName} can only be read blocking: ${text(error)}`, {})
    }
    return new Handle(calls, libc, handle, interfaceName)
  } catch (failure) {
    calls.close(handle)
    throw failure
  }
}

function openFile(calls: PcapCalls, libc: Libc, path: string): PcapHandle {
  const error = new Uint8Array(ERROR_BYTES)
  const handle = calls.openFile(path, PRECISION_NANO, error)
  if (!handle) throw new InvalidArgumentError(`libpcap: open ${path}: ${text(error)}`, { path })
  try {
    return new Handle(calls, libc, handle, path)
  } catch (failure) {
    calls.close(handle)
    throw failure
  }
}

function activationError(status: number, interfaceName: string, reason: string): SkydiveError {
  const message = `libpcap: open ${interfaceName}: ${reason || `error ${status}`}`
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return new NotFoundError(message, { interfaceName })
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return new PermissionError(`${message}; it takes CAP_NET_RAW`, { capability: 'CAP_NET_RAW' })
    default:
      return new UnavailableError(message, { retryable: status === PCAP_ERROR_IFACE_NOT_UP, fields: { interfaceName } })
  }
}

/**
 * Packets reach JavaScript as records in memory: the library itself calls its own `pcap_dump` for each of them, which writes to a stream over
 * that memory. So a call costs the same for one packet and for a thousand, and none of them crosses the border alone.
 */
class Handle implements PcapHandle {
  readonly linkType: number
  readonly nanoseconds: boolean
  readonly fd: number
  readonly records: Uint8Array
  recordBytes = 0
  readonly #calls: PcapCalls
  readonly #libc: Libc
  readonly #handle: bigint
  readonly #name: string
  readonly #stream: bigint
  readonly #dumper: bigint
  readonly #release: () => void
  /** As many packets as fit whatever their length: what does not fit into the stream would be lost without a word. */
  readonly #most: number
  #stats: PcapStats = { received: 0, dropped: 0, droppedByInterface: 0 }
  #isOpen = true

  /** Takes the handle over, unless it throws. */
  constructor(calls: PcapCalls, libc: Libc, handle: bigint, name: string) {
    this.#calls = calls
    this.#libc = libc
    this.#handle = handle
    this.#name = name
    this.linkType = fileLinkType(calls.dataLink(handle))
    this.nanoseconds = calls.precision(handle) === PRECISION_NANO
    this.fd = calls.selectableFd(handle)

    const longest = RECORD_HEADER_BYTES + calls.snapshot(handle)
    const byteLength = Math.max(RECORDS_BYTES, MIN_RECORDS * longest, FILE_HEADER_BYTES)
    this.#most = Math.floor((byteLength - 1) / longest)
    const memory = mapMemory(libc, { byteLength })
    this.records = new Uint8Array(memory.buffer)
    this.#release = () => memory.close()
    const stream = calls.openMemory(memory.address, byteLength, 'wb')
    const dumper = stream && calls.openDump(handle, stream)
    if (!stream || !dumper) {
      if (stream) calls.closeStream(stream)
      memory.close()
      throw new UnsupportedError(`libpcap: packets of ${name} can't be written as records: ${calls.reason(handle)}`, {})
    }
    this.#stream = stream
    this.#dumper = dumper
  }

  compile(expression: string): Uint8Array {
    if (expression.includes('\0')) {
      throw new InvalidArgumentError(`BPF "${expression}": a zero byte is not allowed`, { expression })
    }
    const program = new Uint8Array(PROGRAM_BYTES)
    if (this.#calls.compile(this.#handle, program, expression, 1, UNKNOWN_NETMASK) !== 0) {
      throw new InvalidArgumentError(`BPF "${expression}": ${this.#calls.reason(this.#handle)}`, { expression })
    }
    const view = new DataView(program.buffer)
    const byteLength = view.getUint32(0, true) * INSTRUCTION_BYTES
    const code = new Uint8Array(koffi.view(view.getBigUint64(8, true), byteLength)).slice()
    this.#calls.freeCode(program)
    return code
  }

  setFilter(program: Uint8Array): void {
    // The description points to the program: both lie in memory that has an address. The library copies them before it returns.
    const memory = mapMemory(this.#libc, { byteLength: PROGRAM_BYTES + program.length })
    try {
      const view = new DataView(memory.buffer)
      view.setUint32(0, program.length / INSTRUCTION_BYTES, true)
      view.setBigUint64(8, memory.address + BigInt(PROGRAM_BYTES), true)
      new Uint8Array(memory.buffer).set(program, PROGRAM_BYTES)
      if (this.#calls.setFilter(this.#handle, memory.address) !== 0) {
        throw new InvalidArgumentError(`libpcap: filter of ${this.#name}: ${this.#calls.reason(this.#handle)}`, {})
      }
    } finally {
      memory.close()
    }
  }

  read(): number {
    this.recordBytes = 0
    if (!this.#isOpen) return 0
    this.#calls.seek(this.#stream, 0, SEEK_SET)
    const packets = this.#calls.dispatch(this.#handle, this.#most, this.#calls.dump, this.#dumper)
    if (packets < 0) {
      throw new UnavailableError(`libpcap: read ${this.#name}: ${this.#calls.reason(this.#handle)}`, { retryable: false })
    }
    if (packets === 0) return 0
    this.#calls.flush(this.#stream)
    this.recordBytes = Number(this.#calls.position(this.#stream))
    return packets
  }

  stats(): PcapStats {
    const counters = new Uint32Array(3)
    if (this.#isOpen && this.#calls.stats(this.#handle, counters) === 0) {
      this.#stats = { received: counters[0]!, dropped: counters[1]!, droppedByInterface: counters[2]! }
    }
    return this.#stats
  }

  close(): void {
    if (!this.#isOpen) return
    this.stats()
    this.#isOpen = false
    this.#calls.closeDump(this.#dumper)
    this.#calls.close(this.#handle)
    this.#release()
  }
}

/** A C string in memory. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
