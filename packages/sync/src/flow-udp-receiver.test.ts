import { createSocket } from 'node:dgram'
import { expect, it } from '@jest/globals'
import { createFlowEndpoint, type ReceivedFlowBatch } from './flow-endpoint.ts'
import { createFlowUdpReceiver } from './flow-udp-receiver.ts'

it('a busy port is told', async () => {
  const blocker = createSocket('udp4')
  await new Promise<void>((resolve) => blocker.bind(0, '127.0.0.1', resolve))
  const { port } = blocker.address()
  const receiver = createFlowUdpReceiver({ host: '127.0.0.1', port, onBatch() {} })
  await expect(receiver.start()).rejects.toThrow(`cannot take flows by UDP on 127.0.0.1:${port}`)
  await receiver.stop()
  await new Promise<void>((resolve) => blocker.close(() => resolve()))
})

it('bare messages of an original agent are handed on without an id', () => {
  const batches: ReceivedFlowBatch[] = []
  const endpoint = createFlowEndpoint({ onBatch: (batch) => void batches.push(batch) })
  const handler = endpoint.accept({ handshake: { hostId: 'alpha' } } as never)
  handler.onFrame?.(Uint8Array.of(1, 2))
  expect(batches).toEqual([{ hostId: 'alpha', payload: Uint8Array.of(1, 2) }])
})
