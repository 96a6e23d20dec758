import {
  type CaptureDescription,
  type CaptureSourceModule,
  type CaptureStats,
  type CaptureTarget,
  ConflictError,
  type Detection,
  type FlowRecordSink,
  InvalidArgumentError,
  type RecordSource,
  SkydiveError,
  UnavailableError,
} from '@skydive/contracts'
import { type DatagramReceiver, type Kernel, type KernelOptions, openDatagramReceiver, openKernel } from '@skydive/kernel'
import type { NetflowLimits } from '@skydive/packet/netflow'
import { NetflowCollector } from './netflow-collector.ts'

/** How the collector listens and what it keeps. */
export interface NetflowOptions {
  /** Ports when the capture fixes none: those of NetFlow and of IPFIX. @default [2055, 4739] */
  readonly ports?: readonly number[]
  /** With `maxPort`: the first free port from here on, instead of `ports`. For those whom the sender is told the port. */
  readonly minPort?: number
  readonly maxPort?: number
  /** What the kernel holds for each port until it is read, bytes. @default 8 MiB */
  readonly bufferBytes?: number
  /** Where to listen instead of the node's address. */
  readonly address?: string
  readonly limits?: NetflowLimits
}

const DEFAULT_PORTS = [2055, 4739]

/**
 * Opens collectors. `openSystem` gives the kernel of the calling thread; a test may give another.
 *
 * A collector listens in the namespace of its node, at the node's address when it has just one and everywhere otherwise. It takes no
 * filter: records hold no packet that one could be applied to.
 */
export function createNetflowModule(
  openSystem: (options?: KernelOptions) => Kernel = openKernel,
): CaptureSourceModule<NetflowOptions> {
  return {
    name: 'netflow',
    detect: async () => detect(openSystem),
    open(target, options = {}, ledger) {
      if (target.bpfFilter !== '') {
        throw new InvalidArgumentError(
          `netflow: a filter ("${target.bpfFilter}") can't be applied to records; leave BPFFilter out`,
          {
            bpfFilter: target.bpfFilter,
          },
        )
      }
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
export const captureSource: CaptureSourceModule<NetflowOptions> = createNetflowModule()

function detect(openSystem: () => Kernel): Detection {
  try {
    openSystem().dispose()
    return { available: true }
  } catch (error) {
    return { available: false, reason: (error as Error).message }
  }
}

function openCollector(kernel: Kernel, target: CaptureTarget, options: NetflowOptions): RecordSource {
  const { addresses = [] } = target
  const where = options.address ?? (addresses.length === 1 ? addresses[0]! : '::')
  const receivers: Listener[] = []
  try {
    const { minPort, maxPort, ports = DEFAULT_PORTS, bufferBytes } = options
    if (target.port === undefined && minPort !== undefined && maxPort !== undefined) {
      receivers.push(listenInRange(kernel, target, where, minPort, maxPort, bufferBytes))
    } else {
      for (const port of target.port === undefined ? ports : [target.port]) {
        receivers.push(listen(kernel, target, where, port, bufferBytes))
      }
    }
    return new Collector(kernel, receivers, new NetflowCollector(options.limits))
  } catch (error) {
    for (const { receiver } of receivers) receiver.close()
    throw error
  }
}

/** A socket, and the address that it listens at. */
interface Listener {
  readonly receiver: DatagramReceiver
  readonly address: string
}

/** Listens at the first port of a range that is free. */
function listenInRange(
  kernel: Kernel,
  target: CaptureTarget,
  address: string,
  minPort: number,
  maxPort: number,
  bufferBytes: number | undefined,
): Listener {
  if (!(isPort(minPort) && isPort(maxPort) && minPort <= maxPort)) {
    throw new InvalidArgumentError(`netflow: ports ${minPort} to ${maxPort} are no range from 1 to 65535`, { minPort, maxPort })
  }
  for (let port = minPort; port <= maxPort; port++) {
    try {
      return listen(kernel, target, address, port, bufferBytes)
    } catch (error) {
      if (!SkydiveError.isInstance(error, 'ERR_CONFLICT')) throw error
    }
  }
  throw new UnavailableError(
    `netflow: ports ${minPort} to ${maxPort} of ${address} are all taken: stop another capture, or widen agent.flow.netflow`,
    { retryable: true, fields: { address, minPort, maxPort } },
  )
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

function listen(
  kernel: Kernel,
  { netns }: CaptureTarget,
  address: string,
  port: number,
  bufferBytes: number | undefined,
): Listener {
  try {
    const receiver = openDatagramReceiver(kernel, {
      address,
      port,
      ...(netns !== undefined && { netns }),
      ...(bufferBytes !== undefined && { bufferBytes }),
    })
    return { receiver, address }
  } catch (error) {
    // A host without IPv6 has no address for both.
    if (address === '::' && SkydiveError.isInstance(error, 'ERR_UNSUPPORTED')) {
      return listen(kernel, { netns } as CaptureTarget, '0.0.0.0', port, bufferBytes)
    }
    if (!SkydiveError.isInstance(error) || error.fields['errno'] !== 'EADDRINUSE') throw error
    throw new ConflictError(`netflow: port ${port} of ${address} is taken; give the capture another one (Port)`, {
      address,
      port,
    })
  }
}

class Collector implements RecordSource {
  readonly kind = 'records'
  readonly readyFds: readonly number[]
  readonly #kernel: Kernel
  readonly #receivers: readonly DatagramReceiver[]
  readonly #collector: NetflowCollector
  readonly #sockets: string
  #isOpen = true

  constructor(kernel: Kernel, listeners: readonly Listener[], collector: NetflowCollector) {
    this.#receivers = listeners.map(({ receiver }) => receiver)
    this.readyFds = this.#receivers.map(({ fd }) => fd)
    this.#kernel = kernel
    this.#collector = collector
    this.#sockets = listeners
      .map(({ receiver, address }) => `${address.includes(':') ? `[${address}]` : address}:${receiver.port}`)
      .join(' ')
  }

  poll(sink: FlowRecordSink): number {
    const nowMs = Date.now()
    const before = this.#collector.records
    for (const receiver of this.#receivers) {
      receiver.receive((view, offset, byteLength, senderVersion, senderOffset) =>
        this.#collector.consume(view, offset, byteLength, senderVersion, senderOffset, nowMs, sink),
      )
    }
    return this.#collector.records - before
  }

  /** Received are records, dropped are datagrams. */
  stats(): CaptureStats {
    const packetsDropped = this.#receivers.reduce((sum, receiver) => {
      const { dropped, truncated } = receiver.stats()
      return sum + dropped + truncated
    }, 0)
    return { packetsReceived: this.#collector.records, packetsDropped, packetsIfDropped: 0 }
  }

  describe(): CaptureDescription {
    const truncated = this.#receivers.reduce((sum, receiver) => sum + receiver.stats().truncated, 0)
    return { capture: { NetFlowSocket: this.#sockets }, node: { NetFlow: this.#collector.metadata(truncated) } }
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const receiver of this.#receivers) receiver.close()
    this.#kernel.dispose()
  }
}
