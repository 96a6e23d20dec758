import {
  type CaptureDescription,
  type CaptureSourceModule,
  type CaptureStats,
  type CaptureTarget,
  ConflictError,
  type Detection,
  type PacketBlockSink,
  type PacketFormat,
  type PacketSource,
  SkydiveError,
} from '@skydive/contracts'
import { type DatagramReceiver, type Kernel, type KernelOptions, openDatagramReceiver, openKernel } from '@skydive/kernel'
import { createPacketFilter, decodeBpfProgram, LINK_TYPE } from '@skydive/packet'
import { SAMPLE_FORMAT, SFlowCollector } from './sflow-collector.ts'

/** How the collector listens. */
export interface SFlowOptions {
  /** What the kernel holds until it is read, bytes. @default 8 MiB */
  readonly bufferBytes?: number
  /** Where to listen instead of the node's address. */
  readonly address?: string
}

const DEFAULT_PORT = 6343
const DEFAULT_SNAP_LENGTH = 256
/** What the filter of the user is compiled for: switches send 128 bytes by default. */
const FILTER_SNAP_LENGTH = 4096

/**
 * Opens collectors. `openSystem` gives the kernel of the calling thread; a test may give another.
 *
 * A collector listens in the namespace of its node, at the node's address when it has just one and everywhere otherwise.
 */
export function createSFlowModule(
  openSystem: (options?: KernelOptions) => Kernel = openKernel,
): CaptureSourceModule<SFlowOptions> {
  return {
    name: 'sflow',
    detect: async () => detect(openSystem),
    open(target, options = {}, ledger) {
      const kernel = openSystem(ledger && { ledger })
      try {
        return openCollector(kernel, target, options)
      } catch (error) {
        kernel.dispose()
        throw error
      }
    },
  }
}

/** The module as the capture worker loads it. */
export const captureSource: CaptureSourceModule<SFlowOptions> = createSFlowModule()

function detect(openSystem: () => Kernel): Detection {
  try {
    openSystem().dispose()
    return { available: true }
  } catch (error) {
    return { available: false, reason: (error as Error).message }
  }
}

function openCollector(kernel: Kernel, target: CaptureTarget, { bufferBytes, address }: SFlowOptions): PacketSource {
  const filter =
    target.bpfFilter === ''
      ? undefined
      : createPacketFilter(
          decodeBpfProgram(kernel.compileBpf(target.bpfFilter, { linkType: LINK_TYPE.ETHERNET, snapLength: FILTER_SNAP_LENGTH })),
        )
  const { addresses = [], port = DEFAULT_PORT, netns } = target
  const where = address ?? (addresses.length === 1 ? addresses[0]! : '0.0.0.0')
  const receiver = listen(kernel, { address: where, port, netns, bufferBytes })
  return new Collector(kernel, receiver, new SFlowCollector(filter, target.snapLength || DEFAULT_SNAP_LENGTH), where)
}

interface Where {
  readonly address: string
  readonly port: number
  readonly netns: string | undefined
  readonly bufferBytes: number | undefined
}

function listen(kernel: Kernel, { address, port, netns, bufferBytes }: Where): DatagramReceiver {
  try {
    return openDatagramReceiver(kernel, {
      address,
      port,
      ...(netns !== undefined && { netns }),
      ...(bufferBytes !== undefined && { bufferBytes }),
    })
  } catch (error) {
    if (!SkydiveError.isInstance(error) || error.fields['errno'] !== 'EADDRINUSE') throw error
    throw new ConflictError(`sflow: port ${port} of ${address} is taken; give the capture another one (Port)`, { address, port })
  }
}

class Collector implements PacketSource {
  readonly kind = 'packets'
  readonly tellsExporters = true
  readonly format: PacketFormat = SAMPLE_FORMAT
  readonly readyFd: number
  readonly #kernel: Kernel
  readonly #receiver: DatagramReceiver
  readonly #collector: SFlowCollector
  readonly #socket: string
  #isOpen = true

  constructor(kernel: Kernel, receiver: DatagramReceiver, collector: SFlowCollector, address: string) {
    this.readyFd = receiver.fd
    this.#kernel = kernel
    this.#receiver = receiver
    this.#collector = collector
    const host = address.includes(':') ? `[${address}]` : address
    this.#socket = `${host}:${receiver.port}`
  }

  poll(sink: PacketBlockSink): number {
    const nowMs = Date.now()
    let packets = 0
    this.#receiver.receive(
      (view, offset, byteLength) => {
        packets += this.#collector.gather(view, offset, byteLength, nowMs, sink)
      },
      () => this.#collector.flush(),
    )
    return packets
  }

  /** Packets are samples; what is dropped are datagrams. */
  stats(): CaptureStats {
    const { dropped, truncated } = this.#receiver.stats()
    return { ...this.#collector.stats(), packetsDropped: dropped + truncated }
  }

  describe(): CaptureDescription {
    const { truncated } = this.#receiver.stats()
    return { capture: { SFlowSocket: this.#socket }, node: { SFlow: this.#collector.metadata(truncated) } }
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#receiver.close()
    this.#kernel.dispose()
  }
}
