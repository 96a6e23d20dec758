import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow } from '@skydive/contracts'
import { decodeBinaryMessage, type OutgoingMessage } from '@skydive/protocol'
import { decodeFlowMessage } from '@skydive/protocol/flow'
import { FlowExport } from './flow-export.ts'
import type { ServerConnection } from './server-connection.ts'

const flow = (UUID: string): EnhancedFlow => ({
  flow: {
    ...{ UUID, Application: 'DNS', Start: 1, Last: 2, ParentUUID: '', RawPacketsCaptured: 1 },
    LastRawPackets: [{ Timestamp: 1, Index: 1, Data: Uint8Array.of(1), LinkType: 1 }],
  },
  places: {},
})
const flows = (count: number) => Array.from({ length: count }, (_, i) => flow(`f${i}`))

/** An export to a subscriber that asked for `handshake`, with a clock that is turned by hand. */
function start(handshake: object, selects?: (flow: EnhancedFlow) => boolean) {
  const sent: { type: string; content: unknown }[] = []
  const timers: (() => void)[] = []
  const counted: number[] = []
  const clock = {
    nowMs: 10_000,
    now: () => clock.nowMs,
    setTimeout: (callback: () => void) => timers.push(callback),
    clearTimeout: () => void timers.splice(0),
  }
  const connection = {
    handshake: { gremlinFilter: '', flowFields: [], flowsPerSecond: undefined, flowFormat: 'json', ...handshake },
    send(message: OutgoingMessage) {
      const { Type, Obj } = JSON.parse(message.text()) as { Type: string; Obj: unknown }
      // A body of protobuf has no text form.
      if (Obj !== null) sent.push({ type: Type, content: Obj })
      else sent.push({ type: Type, content: decodeFlowMessage(decodeBinaryMessage(message.binary()).bytes!).Flows })
    },
  } as unknown as ServerConnection
  const counter = () => ({ add: (value: number) => void counted.push(value) })
  const metrics = { counter, gauge: () => ({ set() {}, remove() {} }) }
  return { own: new FlowExport(connection, { clock, metrics, ...(selects && { selects }) }), sent, timers, counted, clock }
}

const store = (...names: readonly string[]) => ({ type: 'store', content: names.map((UUID) => ({ UUID })) })

describe('a rate', () => {
  test('is a second of flows at most, however long nothing came, and grows with the time', () => {
    const { own, sent, clock } = start({ flowsPerSecond: 4, flowFields: ['UUID'] })
    clock.nowMs += 60_000
    own.send('flow', flows(6))
    clock.nowMs += 500
    own.send('flow', flows(6))
    clock.nowMs += 249
    own.send('flow', flows(6))
    expect(sent).toEqual([store('f0', 'f1', 'f2', 'f3'), store('f0', 'f1')])
    expect(own.dropped).toBe(2 + 4 + 6)
  })

  test('counts what is dropped, and tells it once a second: since the last time, and in all', () => {
    const { own, sent, timers, counted } = start({ flowsPerSecond: 1, flowFields: ['UUID'] })
    own.send('flow', flows(3))
    own.send('flow', flows(4))
    expect([timers.length, counted]).toEqual([1, [2, 4]])
    timers.shift()!()
    own.send('flow', flows(5))
    timers.shift()!()
    expect(sent).toEqual([
      store('f0'),
      { type: 'dropped', content: { Flows: 6, Total: 6 } },
      { type: 'dropped', content: { Flows: 5, Total: 11 } },
    ])
  })

  test('is taken of what the filter leaves', () => {
    const { own, sent } = start({ flowsPerSecond: 1, flowFields: ['UUID'] }, ({ flow: { UUID } }) => UUID === 'f2')
    own.send('flow', flows(2))
    own.send('flow', flows(4))
    expect([sent, own.dropped]).toEqual([[store('f2')], 0])
  })

  test('of a connection that is closed nothing more is told', () => {
    const { own, timers } = start({ flowsPerSecond: 1 })
    own.send('flow', flows(3))
    own.close()
    expect(timers).toEqual([])
  })
})

describe('what is sent of a flow', () => {
  const whole = { UUID: 'f0', Application: 'DNS', Start: 1, Last: 2, ParentUUID: '', RawPacketsCaptured: 1 }

  test.each<readonly [string, object, object]>([
    ['everything but kept packets', {}, whole],
    ['some fields', { flowFields: ['UUID', 'Last'] }, { UUID: 'f0', Last: 2 }],
    ['kept packets not even when they are asked for', { flowFields: ['UUID', 'LastRawPackets'] }, { UUID: 'f0' }],
    ['a field that it does not have', { flowFields: ['UUID', 'Metric'] }, { UUID: 'f0' }],
    ['everything but kept packets, as protobuf', { flowFormat: 'protobuf' }, whole],
  ])('%s', (_, handshake, content) => {
    const { own, sent } = start(handshake)
    own.send('flow', flows(1))
    expect(sent).toEqual([{ type: 'store', content: [content] }])
  })

  test('some fields as protobuf: the others are as if they were empty', () => {
    const { own, sent } = start({ flowFormat: 'protobuf', flowFields: ['UUID', 'Last'] })
    own.send('flow', flows(1))
    expect(sent).toMatchObject([{ type: 'store', content: [{ UUID: 'f0', Last: 2, Start: 0, ParentUUID: '' }] }])
    expect((sent[0]!.content as object[])[0]).not.toHaveProperty('Application')
  })
})
