import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Logger, type Metrics, type Service, SILENT_LOGGER, UnavailableError } from '@skydive/contracts'
import type { ReceivedFlowBatch } from './flow-endpoint.ts'

/** All agents report at once when their interval is over; the kernel gives as much of this as it may (`net.core.rmem_max`). */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

/** What the receiver of datagrams is made of. */
export interface FlowUdpReceiverOptions {
  /** The address of `analyzer.listen`. */
  readonly host: string
  readonly port: number
  /** Takes a protobuf `Message`; `hostId` is the address of the sender, because a datagram says nothing more. Must not throw. */
  onBatch(batch: ReceivedFlowBatch): void
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/**
 * Takes flows of agents with `flow.protocol: udp` (spec platform 2.8): one `Message` a datagram, without acknowledgement. Anybody who reaches
 * the port may send, and what comes faster than it is taken is dropped by the kernel (`RcvbufErrors` of UDP in `/proc/net/snmp`).
 * {@link Service.start} rejects with ERR_UNAVAILABLE when the port is taken.
 */
export function createFlowUdpReceiver(options: FlowUdpReceiverOptions): Service {
  const logger = options.logger ?? SILENT_LOGGER
  const received = options.metrics?.counter('skydive_flow_datagrams_received_total', 'Datagrams with flows received')
  let socket: Socket | undefined
  return {
    async start() {
      if (socket) return
      const created = createSocket({ type: options.host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES })
      socket = created
      created.on('message', (payload, remote) => {
        received?.add(1)
        options.onBatch({ hostId: remote.address, payload })
      })
      created.bind(options.port, options.host)
      try {
        await once(created, 'listening')
      } catch (error) {
        socket = undefined
        throw new UnavailableError(`cannot take flows by UDP on ${options.host}:${options.port}: ${(error as Error).message}`, {
          retryable: false,
          fields: { host: options.host, port: options.port },
          cause: error,
        })
      }
      created.on('error', (error) => logger.error({ err: error }, 'UDP receiver of flows failed'))
    },
    async stop() {
      const current = socket
      socket = undefined
      if (current) await new Promise<void>((resolve) => current.close(() => resolve()))
    },
  }
}
