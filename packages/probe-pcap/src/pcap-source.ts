import {
  type CaptureSourceModule,
  type CaptureStats,
  type CaptureTarget,
  type Detection,
  InvalidArgumentError,
  type PacketBlockSink,
  type PacketFormat,
  type PacketSource,
  SkydiveError,
  UnsupportedError,
} from '@skydive/contracts'
import { type Kernel, type KernelOptions, loadPcapLibrary, openKernel, type PcapHandle, type PcapLibrary } from '@skydive/kernel'
import { BPF, type BpfInstruction, decodeBpfProgram, encodeBpfProgram, ownTrafficProgram } from '@skydive/packet'

/** How libpcap is asked to capture. */
export interface PcapOptions {
  /** Also take packets that are not for this host. @default true */
  readonly promiscuous?: boolean
  /** Memory in which packets wait. @default 16 MiB */
  readonly bufferBytes?: number
  /** After this time packets are handed over even when they are few. @default 10 */
  readonly retireMs?: number
  /** A pcap or pcapng file to read instead of the interface, once, as fast as it goes; times are those of the file. */
  readonly file?: string
}

/** What the source stands on; a test may give others. */
export interface PcapSystem {
  openKernel(options?: KernelOptions): Kernel
  loadLibrary(ledger?: SharedArrayBuffer): PcapLibrary
}

const DEFAULT_BUFFER_BYTES = 16 * 1024 * 1024
const DEFAULT_RETIRE_MS = 10
const DEFAULT_SNAP_LENGTH = 256
/** Reads of one poll at most, so that a fast sender does not keep the thread from its other work. */
const READS_PER_POLL = 16

const SYSTEM: PcapSystem = { openKernel, loadLibrary: (ledger) => loadPcapLibrary(undefined, ledger) }

/**
 * Opens captures through libpcap. The interface is opened inside the namespace of its target; the thread never stays there. What arrives before
 * the filter is in the kernel is filtered by libpcap.
 */
export function createPcapModule(system: PcapSystem = SYSTEM): CaptureSourceModule<PcapOptions> {
  let library: PcapLibrary | undefined
  return {
    name: 'pcap',
    detect: async () => detect(system),
    open(target, options = {}, ledger) {
      library ??= system.loadLibrary(ledger)
      const kernel = system.openKernel(ledger && { ledger })
      try {
        return options.file === undefined
          ? openInterface(library, kernel, target, options)
          : openFile(library, kernel, target, options.file)
      } catch (error) {
        kernel.dispose()
        throw error
      }
    },
  }
}

/** The module as the capture worker loads it. */
export const captureSource: CaptureSourceModule<PcapOptions> = createPcapModule()

const AF_PACKET = 17
const SOCK_RAW = 3

function detect({ openKernel: open, loadLibrary }: PcapSystem): Detection {
  try {
    loadLibrary()
    const kernel = open()
    try {
      kernel.close(kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 }))
    } finally {
      kernel.dispose()
    }
    return { available: true }
  } catch (error) {
    const reason = (error as Error).message
    if (SkydiveError.isInstance(error, 'ERR_PERMISSION'))
      return { available: false, reason, remedy: 'run as root or grant CAP_NET_RAW' }
    const isAbsent = error instanceof UnsupportedError && error.requires.package !== undefined
    return { available: false, reason, ...(isAbsent && { remedy: 'apt-get install libpcap0.8' }) }
  }
}

function openInterface(library: PcapLibrary, kernel: Kernel, target: CaptureTarget, options: PcapOptions): PacketSource {
  const { promiscuous = true, bufferBytes = DEFAULT_BUFFER_BYTES, retireMs = DEFAULT_RETIRE_MS } = options
  if (!(Number.isSafeInteger(bufferBytes) && bufferBytes >= 65_536 && bufferBytes <= 0x7fffffff)) {
    throw new InvalidArgumentError(`pcap: bufferBytes ${bufferBytes} is not from 64 KiB to 2 GiB`, { bufferBytes })
  }
  const { interfaceName, netns } = target
  const snapLength = target.snapLength || DEFAULT_SNAP_LENGTH
  const open = () => library.openLive({ interfaceName, snapLength, promiscuous, bufferBytes, retireMs })
  const handle = netns === undefined ? open() : kernel.inNamespace(netns, open)
  try {
    if (handle.fd < 0) {
      throw new UnsupportedError(`pcap: ${interfaceName} can't be waited for: libpcap has no descriptor for this device`, {})
    }
    const program = filterOf(handle, target, snapLength)
    if (program) handle.setFilter(program)
    return new Source(handle, kernel, { holdsBackMs: retireMs + TICK_MS, tellsInterface: netns === undefined })
  } catch (error) {
    handle.close()
    throw error
  }
}

function openFile(library: PcapLibrary, kernel: Kernel, { bpfFilter }: CaptureTarget, file: string): PacketSource {
  const handle = library.openFile(file)
  try {
    if (bpfFilter !== '') handle.setFilter(handle.compile(bpfFilter))
    const moreFd = kernel.eventDescriptor()
    kernel.signal(moreFd)
    return new Source(handle, kernel, { moreFd })
  } catch (error) {
    handle.close()
    throw error
  }
}

/** Own traffic first, then what the user asked for; `undefined` when everything is wanted. */
function filterOf(handle: PcapHandle, { bpfFilter, excludePeers }: CaptureTarget, snapLength: number): Uint8Array | undefined {
  if (bpfFilter === '' && excludePeers.length === 0) return undefined
  const everything: readonly BpfInstruction[] = [{ code: BPF.RET | BPF.K, jt: 0, jf: 0, k: snapLength }]
  const wanted = bpfFilter === '' ? everything : decodeBpfProgram(handle.compile(bpfFilter))
  return encodeBpfProgram([...ownTrafficProgram(excludePeers, handle.linkType), ...wanted])
}

/** libpcap's ring hands a block over every `retireMs`, rounded up to the kernel's own ticks of up to 10 ms. */
const TICK_MS = 10

interface SourceTraits {
  readonly holdsBackMs?: number
  readonly moreFd?: number
  readonly tellsInterface?: boolean
}

class Source implements PacketSource {
  readonly kind = 'packets'
  readonly format: PacketFormat
  readonly readyFd: number
  readonly holdsBackMs: number
  readonly #handle: PcapHandle
  readonly #kernel: Kernel
  /** Of a file, which can always be read: an event descriptor that says that there is more of it. */
  readonly #moreFd: number | undefined
  /** libpcap reads in `/sys`, which shows the interfaces of the host: in another namespace it would count one there that has the same name. */
  readonly #tellsInterface: boolean
  #received = 0
  #droppedByInterface = 0
  /** What libpcap told last. */
  #toldByInterface = 0
  #isOpen = true

  constructor(handle: PcapHandle, kernel: Kernel, { holdsBackMs = 0, moreFd, tellsInterface = false }: SourceTraits) {
    this.holdsBackMs = holdsBackMs
    const { linkType, nanoseconds } = handle
    this.format = { layout: { format: 'pcap', littleEndian: true, nanoseconds }, linkType }
    this.readyFd = moreFd ?? handle.fd
    this.#handle = handle
    this.#kernel = kernel
    this.#moreFd = moreFd
    this.#tellsInterface = tellsInterface
  }

  poll(sink: PacketBlockSink): number {
    let packets = 0
    for (let reads = 0; reads < READS_PER_POLL && this.#isOpen; reads++) {
      const some = this.#handle.read()
      if (some === 0) {
        if (this.#moreFd !== undefined) this.#kernel.clearSignal(this.#moreFd)
        break
      }
      packets += some
      this.#received += some
      sink(this.#handle.records, 0, this.#handle.recordBytes)
    }
    return packets
  }

  /** What was handed over is what was received: the kernel's own count has packets of the loopback twice. */
  stats(): CaptureStats {
    const { dropped, droppedByInterface } = this.#handle.stats()
    if (this.#tellsInterface) this.#addInterface(droppedByInterface)
    return { packetsReceived: this.#received, packetsDropped: dropped, packetsIfDropped: this.#droppedByInterface }
  }

  /** Where the driver's counter began anew, libpcap runs backwards, through 0 to 4 billion: what was counted before stays, and it goes on from there. */
  #addInterface(told: number): void {
    const more = (told - this.#toldByInterface) | 0
    if (more > 0) this.#droppedByInterface += more
    this.#toldByInterface = told
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#handle.close()
    if (this.#moreFd !== undefined) this.#kernel.close(this.#moreFd)
    this.#kernel.dispose()
  }
}
