import { InvalidArgumentError, UnsupportedError } from '@skydive/contracts'
import koffi from 'koffi'
import { libraryLinkType } from './link-type.ts'
import { PCAP_LIBRARIES } from './pcap-calls.ts'

/** A classic BPF instruction is eight bytes: u16 code, u8 jt, u8 jf, u32 k (linux/filter.h `struct sock_filter`). */
const INSTRUCTION_BYTES = 8
/** struct bpf_program: unsigned count, then a pointer to the instructions. */
const PROGRAM_BYTES = 16
const UNKNOWN_NETMASK = 0xffffffff

/** How to compile. Shape: `{ linkType: 1, snapLength: 262144 }`; link types as in pcap files (1 Ethernet, 101 raw IP). */
export interface BpfOptions {
  readonly linkType: number
  /** What the program returns for a packet that matches: bytes to keep. */
  readonly snapLength: number
}

/** Compiles filter expressions to classic BPF. */
export interface BpfCompiler {
  /** The library in use, such as `libpcap.so.0.8`. */
  readonly library: string
  /** The program, 8 bytes an instruction, host byte order. @throws ERR_INVALID_ARGUMENT with libpcap's own reason. */
  compile(expression: string, options: BpfOptions): Uint8Array
}

/**
 * Loads libpcap. `names` are tried in order. Host names in expressions are looked up by libpcap itself, blocking: give addresses.
 * @throws ERR_UNSUPPORTED naming the package when none can be loaded.
 */
export function loadBpfCompiler(names: readonly string[] = PCAP_LIBRARIES): BpfCompiler {
  for (const name of names) {
    let library: ReturnType<typeof koffi.load>
    try {
      library = koffi.load(name)
    } catch {
      continue
    }
    return bindCompiler(name, library)
  }
  throw new UnsupportedError(
    `no BPF compiler: none of ${names.join(', ')} can be loaded; install the package libpcap0.8 (Debian) or libpcap`,
    { file: names.join(', '), package: 'libpcap0.8' },
  )
}

function bindCompiler(name: string, library: ReturnType<typeof koffi.load>): BpfCompiler {
  const openDead: (linkType: number, snapLength: number) => bigint | null = library.func('pcap_open_dead', 'void *', [
    'int',
    'int',
  ])
  const compile: (handle: bigint, program: Uint8Array, expression: string, optimize: number, netmask: number) => number =
    library.func('pcap_compile', 'int', ['void *', 'void *', 'str', 'int', 'uint'])
  const geterr: (handle: bigint) => string = library.func('pcap_geterr', 'str', ['void *'])
  const freecode: (program: Uint8Array) => void = library.func('pcap_freecode', 'void', ['void *'])
  const close: (handle: bigint) => void = library.func('pcap_close', 'void', ['void *'])

  return {
    library: name,
    compile(expression, { linkType, snapLength }) {
      if (expression.includes('\0')) {
        throw new InvalidArgumentError(`BPF "${expression}": a zero byte is not allowed`, { expression })
      }
      const handle = openDead(libraryLinkType(linkType), snapLength)
      if (!handle) throw new InvalidArgumentError(`BPF: link type ${linkType} is not known`, { linkType })
      const program = new Uint8Array(PROGRAM_BYTES)
      try {
        if (compile(handle, program, expression, 1, UNKNOWN_NETMASK) !== 0) {
          throw new InvalidArgumentError(`BPF "${expression}": ${geterr(handle)}`, { expression, linkType })
        }
        const view = new DataView(program.buffer)
        const byteLength = view.getUint32(0, true) * INSTRUCTION_BYTES
        const code = new Uint8Array(koffi.view(view.getBigUint64(8, true), byteLength)).slice()
        freecode(program)
        return code
      } finally {
        close(handle)
      }
    },
  }
}
