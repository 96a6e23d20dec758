import { describe, expect, it } from '@jest/globals'
import { formatCursor, parseCursor } from './cursor.ts'
import { parseDurationMs } from './duration.ts'
import { checkEdgeSchema, checkNodeSchema } from './element-schema.ts'
import { cookieHeader, parseHandshake } from './handshake.ts'
import { decodeOnDemandCommand, decodeOnDemandReply } from './on-demand.ts'
import { decodeWireEdge, decodeWireNode } from './wire-element.ts'

describe('parseDurationMs', () => {
  it.each([
    ['90s', 90_000],
    ['5000ms', 5000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['-2m', -120_000],
    ['+1s', 1000],
    ['0', 0],
    ['.5s', 500],
  ])('%s', (text, expected) => expect(parseDurationMs(text)).toBe(expected))

  it.each(['', '5', 's', '1x', '1s2', '-', '1 s'])('%j is refused', (text) => {
    expect(() => parseDurationMs(text)).toThrow(`time: invalid duration ${JSON.stringify(text)}`)
  })
})

describe('cursor', () => {
  it('comes back', () => {
    expect(parseCursor(formatCursor({ epoch: 'a:b', version: 12 }))).toEqual({ epoch: 'a:b', version: 12 })
  })
  it.each(['', 'new', 'a:', ':1', 'a:-1', 'a:1x'])('%j is none', (text) => expect(parseCursor(text)).toBeUndefined())
})

describe('cookieHeader', () => {
  it.each([
    [undefined, {}],
    [{}, {}],
    [{ a: '1' }, { Cookie: 'a=1' }],
    [{ a: '1', b: 'x=y' }, { Cookie: 'a=1; b=x=y' }],
  ])('%j is %j', (cookies, header) => expect(cookieHeader(cookies)).toEqual(header))
})

describe('parseHandshake', () => {
  const parse = (headers: Record<string, string>) => parseHandshake((name) => headers[name], '10.0.0.9:1')

  it('takes the defaults of the spec', () => {
    expect(parse({ 'X-Client-Type': 'webui' })).toEqual({
      hostId: '10.0.0.9:1',
      clientType: 'webui',
      framing: 'json',
      namespaces: [],
      gremlinFilter: '',
      updatePolicy: 'full',
      deleteOnDisconnect: false,
      cursor: undefined,
      flowBatches: false,
      flowFields: [],
      flowFormat: 'json',
    })
  })

  it('reads how flows are wanted', () => {
    const headers = {
      'X-Client-Type': 'x',
      'X-Client-Protocol': 'protobuf',
      'X-Skydive-Flow-Fields': 'UUID, Metric,',
      'X-Skydive-Flow-Rate': '100',
      'X-Skydive-Flow-Format': 'protobuf',
    }
    expect(parse(headers)).toMatchObject({ flowFields: ['UUID', 'Metric'], flowsPerSecond: 100, flowFormat: 'protobuf' })
  })

  it('splits namespaces', () => {
    expect(parse({ 'X-Client-Type': 'x', 'X-Websocket-Namespace': 'flow, stats' }).namespaces).toEqual(['flow', 'stats'])
  })

  it.each([
    [{}, 'the client type is missing'],
    [{ 'X-Client-Type': 'x', 'X-Client-Protocol': 'xml' }, 'unknown client protocol "xml"'],
    [{ 'X-Client-Type': 'x', 'X-Update-Policy': 'some' }, 'unknown update policy "some"'],
    [{ 'X-Client-Type': 'x', 'X-Skydive-Flow-Format': 'csv' }, 'unknown format of flows "csv"'],
    [{ 'X-Client-Type': 'x', 'X-Skydive-Flow-Format': 'protobuf' }, 'need the client protocol protobuf'],
    [{ 'X-Client-Type': 'x', 'X-Skydive-Flow-Rate': '0' }, 'X-Skydive-Flow-Rate "0" is no number of flows a second'],
    [{ 'X-Client-Type': 'x', 'X-Skydive-Flow-Rate': '-1' }, '"-1" is no number'],
    [{ 'X-Client-Type': 'x', 'X-Skydive-Flow-Rate': '1e99' }, '"1e99" is no number'],
  ])('%j is refused', (headers, message) => expect(() => parse(headers as Record<string, string>)).toThrow(message))
})

describe('element schemas', () => {
  const defaults = { nowMs: 1, origin: 'o' }
  const node = (Metadata: object) => decodeWireNode({ ID: 'n', Metadata }, defaults)

  it.each([
    [{}, 'invalid schema: Metadata: Name is required\nMetadata: Type is required'],
    [{ Name: 'x' }, 'invalid schema: Metadata: Type is required'],
    [
      { Name: 7, Type: '' },
      'invalid schema: Metadata.Name: Invalid type. Expected: string, given: integer\nMetadata.Type: String length must be greater than or equal to 1',
    ],
    [{ Name: 'x', Type: 'netns' }, 'invalid schema: Metadata: Path is required'],
    [{ Name: 'x', Type: 'ovsport' }, 'invalid schema: Metadata: UUID is required'],
  ])('node %j', (metadata, message) => expect(() => checkNodeSchema(node(metadata))).toThrow(message))

  it('a whole node passes', () => expect(() => checkNodeSchema(node({ Name: 'x', Type: 'fake' }))).not.toThrow())

  it('an edge needs its relation type', () => {
    const edge = decodeWireEdge({ ID: 'e', Parent: 'a', Child: 'b', Metadata: {} }, defaults)
    expect(() => checkEdgeSchema(edge)).toThrow('invalid schema: Metadata: RelationType is required')
  })
})

describe('decodeOnDemandCommand', () => {
  const message = (body: unknown) => ({ namespace: 'OnDemandCapture', type: 'Start', uuid: 'u', status: 200, body })
  it('keeps the whole resource', () => {
    const body = { NodeID: 'n', Resource: { UUID: 'c', BPFFilter: 'icmp' } }
    expect(decodeOnDemandCommand(message(body))).toEqual(body)
  })
  it.each([null, {}, { NodeID: 'n' }, { NodeID: '', Resource: { UUID: 'c' } }])('%j is refused', (body) => {
    expect(() => decodeOnDemandCommand(message(body))).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})

describe('decodeOnDemandReply', () => {
  const message = (body: unknown) => ({ namespace: 'OnDemandCapture', type: 'StartReply', uuid: 'u', status: 400, body })
  const command = { NodeID: 'n', Resource: { UUID: 'c', BPFFilter: 'icmp' } }
  it.each<readonly [object, object]>([
    [command, command],
    [
      { ...command, Reason: 'no such type' },
      { ...command, Reason: 'no such type' },
    ],
    [{ ...command, Reason: 7 }, command],
  ])('%j is %j', (body, expected) => {
    expect(decodeOnDemandReply(message(body))).toEqual(expected)
  })
  it.each([null, {}, { NodeID: 'n', Reason: 'x' }])('%j is refused', (body) => {
    expect(() => decodeOnDemandReply(message(body))).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})
