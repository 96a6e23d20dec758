import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import {
  decodeFlowMessage,
  decodeFlowSet,
  decodeFlowStream,
  encodeFlowMessage,
  encodeFlowSet,
  FlowStreamWriter,
} from './index.ts'

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const flow = (over: Partial<Flow> = {}): Flow => ({
  UUID: 'a',
  Start: 1,
  Last: 2,
  ParentUUID: '',
  RawPacketsCaptured: 0,
  ...over,
})
const ZERO = { UUID: '', Start: 0, Last: 0, ParentUUID: '', RawPacketsCaptured: 0 }
const STATS = { CaptureID: 'c', FlowCount: 1, FlowDropped: 2, KernelFlowDropped: 3, PacketsDropped: 4, PacketsReceived: 5 }

describe('a message', () => {
  test.each([
    ['flows alone', { Flows: [flow(), flow({ UUID: 'b' })] }, '0a07 0a0161 5001 5802 0a07 0a0162 5001 5802'],
    ['statistics', { Flows: [], Stats: STATS }, '120d 0a0163 1001 1802 2003 2804 3005'],
    ['the id of a batch', { Flows: [], Batch: { Origin: 'o:1', Sequence: 7 } }, 'a20607 0a036f3a31 1007'],
    ['nothing', { Flows: [] }, ''],
  ])('of %s', (_title, message, hex) => {
    const bytes = encodeFlowMessage(message)
    expect(bytes).toEqual(bytesOf(hex))
    expect(decodeFlowMessage(bytes)).toStrictEqual(message)
  })

  test.each<readonly [string, string, object]>([
    ['an empty flow', '0a00', { Flows: [ZERO] }],
    [
      'empty statistics',
      '1200',
      {
        Flows: [],
        Stats: { CaptureID: '', FlowCount: 0, FlowDropped: 0, KernelFlowDropped: 0, PacketsDropped: 0, PacketsReceived: 0 },
      },
    ],
    ['an empty id of a batch', 'a20600', { Flows: [], Batch: { Origin: '', Sequence: 0 } }],
    ['fields that are not known', '1a0161 2007 0a00 2d01020304', { Flows: [ZERO] }],
    [
      'statistics with fields that are not known',
      '120f 0a0163 3a0161 1001 3807 3005 4201ff',
      {
        Flows: [],
        Stats: { ...STATS, FlowDropped: 0, KernelFlowDropped: 0, PacketsDropped: 0 },
      },
    ],
    [
      'an id of a batch with fields that are not known',
      'a2060a 1a0161 0a016f 2007 1009',
      { Flows: [], Batch: { Origin: 'o', Sequence: 9 } },
    ],
  ])('with %s is read', (_title, hex, message) => {
    expect(decodeFlowMessage(bytesOf(hex))).toStrictEqual(message)
  })
})

describe('a set', () => {
  test.each([
    ['no flow', [], 0, 0],
    ['one', [flow({ Start: 5, Last: 9 })], 5, 9],
    ['the first begins later and ends last', [flow({ Start: 5, Last: 9 }), flow({ Start: 3, Last: 4 })], 3, 9],
    ['the first begins first and ends sooner', [flow({ Start: 3, Last: 4 }), flow({ Start: 5, Last: 9 })], 3, 9],
  ])('of %s: the smallest start and the greatest end', (_title, flows, start, end) => {
    expect(decodeFlowSet(encodeFlowSet(flows))).toStrictEqual({ Flows: flows, Start: start, End: end })
  })

  test('fields that are not known are skipped', () => {
    expect(decodeFlowSet(bytesOf('220161 1005 2807 1809 0a00 3201ff'))).toStrictEqual({ Flows: [ZERO], Start: 5, End: 9 })
  })
})

describe('a stream', () => {
  test.each([0, 1, 110, 111, 112, 113, 114, 115, 300, 16_360, 16_370, 16_380, 70_000])(
    'flows of about %d bytes, one behind the other',
    (length) => {
      const writer = new FlowStreamWriter()
      const flows = [flow({ NodeTID: 'x'.repeat(length) }), flow(), flow({ NodeTID: 'y'.repeat(length) })].map(
        ({ NodeTID, ...rest }) => (NodeTID ? { ...rest, NodeTID } : rest),
      )
      const bytes = Uint8Array.from([...writer.encode(flows.slice(0, 2)), ...writer.encode(flows.slice(2))])
      expect(decodeFlowStream(bytes)).toStrictEqual(flows)
    },
  )

  test.each([
    ['a flow without bytes', '00 07 0a0161 5001 5802', [ZERO, flow()]],
    ['a length of more digits than it needs', '80808080808080808000 07 0a0161 5001 5802', [ZERO, flow()]],
  ])('of %s is read', (_title, hex, flows) => {
    expect(decodeFlowStream(bytesOf(hex))).toStrictEqual(flows)
  })

  test.each([
    ['a length that is cut', '80'],
    ['a length of two bytes that is cut', '00 8080'],
    ['a length of eleven bytes', '80808080808080808080 00'],
    ['a flow that is cut', '07 0a0161 5001 58'],
    ['a length after the end', 'ffffffff0f 0a0161'],
    ['a length beyond all memory', 'ffffffffffffffff7f 0a0161'],
  ])('of %s is refused', (_title, hex) => {
    expect(() => decodeFlowStream(bytesOf(hex))).toThrow(expect.objectContaining({ code: 'ERR_DECODE' }))
  })
})
