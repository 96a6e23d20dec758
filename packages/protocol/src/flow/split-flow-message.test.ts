import { describe, expect, it } from '@jest/globals'
import { DecodeError } from '@skydive/contracts'
import fc from 'fast-check'
import { decodeFlowMessage, encodeFlowMessage } from './flow-message.ts'
import { decodeFlowJson } from './flow-schema.ts'
import { splitFlowMessage } from './split-flow-message.ts'

const flow = (UUID: string) => decodeFlowJson({ UUID, LayersPath: 'Ethernet', Start: 1000, Last: 2000 })
const Stats = { CaptureID: 'c', FlowCount: 1, FlowDropped: 2, KernelFlowDropped: 3, PacketsDropped: 4, PacketsReceived: 5 }

describe('splitFlowMessage', () => {
  it('nothing is no part', () => expect(splitFlowMessage(new Uint8Array(0))).toEqual([]))

  it('flows and statistics are messages of their own; the id of the batch is left out', () => {
    const parts = splitFlowMessage(
      encodeFlowMessage({ Flows: [flow('a'), flow('b')], Stats, Batch: { Origin: 'o:1', Sequence: 7 } }),
    )
    expect(parts.map(({ payload, flows }) => [decodeFlowMessage(payload), flows])).toEqual([
      [{ Flows: [flow('a')] }, 1],
      [{ Flows: [flow('b')] }, 1],
      [{ Flows: [], Stats }, 0],
    ])
  })

  it('the parts together are the flows of the whole, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 300 }), { maxLength: 20 }), (ids) => {
        const parts = splitFlowMessage(encodeFlowMessage({ Flows: ids.map(flow) }))
        expect(parts.flatMap(({ payload }) => decodeFlowMessage(payload).Flows.map(({ UUID }) => UUID))).toEqual(ids)
      }),
    )
  })

  it('foreign bytes are taken apart or refused with ERR_DECODE', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          for (const { payload } of splitFlowMessage(bytes)) expect(payload.length).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
