import { describe, expect, it } from '@jest/globals'
import type { GraphEdge, GraphNode, RawPacket } from '@skydive/contracts'
import { renderDot } from './render/dot.ts'
import { renderPcap, renderPcapng } from './render/pcap.ts'
import { frameBinary, frameText } from './websocket/frame.ts'

const times = { createdAtMs: 1, updatedAtMs: 1, deletedAtMs: null, revision: 1, host: 'h', origin: 'o' }
const node = (id: string, metadata: GraphNode['metadata']): GraphNode => ({ kind: 'node', id, metadata, ...times })

describe('renderDot', () => {
  it('escapes what would end a label, and leaves out edges without an end', () => {
    const nodes = [
      node('12345678-9', { Name: 'a"b\\c', Type: 't', IPV4: ['10.0.0.1/8', '10.0.0.2/8'] }),
      node('x', { Name: 'x', Type: 't' }),
    ]
    const edge = (parent: string, child: string, type: string): GraphEdge => ({
      kind: 'edge',
      id: parent + child,
      parent,
      child,
      metadata: { RelationType: type },
      ...times,
    })
    const edges = [edge('12345678-9', 'x', 'layer2'), edge('x', '12345678-9', 'two words'), edge('x', 'gone', 'layer2')]
    expect(renderDot({ nodes, edges })).toBe(
      [
        'digraph g {',
        '"a\\"b\\\\c-12345678" [label="a\\"b\\\\c-12345678\\nType = t\\nIPV4 = [10.0.0.1/8 10.0.0.2/8]"]',
        '"x-x" [label="x-x\\nType = t"]',
        '"a\\"b\\\\c-12345678" -> "x-x" [label=layer2,dir=both]',
        '"x-x" -> "a\\"b\\\\c-12345678" [label="two words",dir=forward]',
        '}',
      ].join('\n'),
    )
  })
})

const packet = (Timestamp: number, LinkType: number, ...bytes: number[]): RawPacket => ({
  Timestamp,
  Index: 1,
  LinkType,
  Data: Uint8Array.from(bytes),
})

describe('renderPcap', () => {
  it('nothing is an empty file', () => expect(renderPcap([])).toEqual({ bytes: new Uint8Array(0), leftOut: [] }))

  it('packets of one link type in the order of time', () => {
    const { bytes, leftOut } = renderPcap([packet(2500, 1, 0xaa), packet(1001, 1, 0xbb, 0xcc), packet(1, 228, 0xdd)])
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        'd4c3b2a1' + '02000400' + '00000000' + '00000000' + '00000400' + '01000000',
        '01000000' + 'e8030000' + '02000000' + '02000000' + 'bbcc',
        '02000000' + '20a10700' + '01000000' + '01000000' + 'aa',
      ].join(''),
    )
    expect(leftOut).toEqual(['linktype.228=1'])
  })

  it.each<[title: string, linkTypes: readonly number[], linkType: number, leftOut: readonly string[]]>([
    ['Ethernet, though it comes last', [229, 228, 228, 1], 1, ['linktype.228=2', 'linktype.229=1']],
    ['that of the first one where there is no Ethernet', [229, 228, 0, 228], 229, ['linktype.0=1', 'linktype.228=2']],
    ['the only one', [228, 228], 228, []],
  ])('the link type is %s; others are counted', (_title, linkTypes, linkType, leftOut) => {
    const file = renderPcap(linkTypes.map((each, i) => packet(i, each, i)))
    const kept = linkTypes.filter((each) => each === linkType).length
    expect([new DataView(file.bytes.buffer).getUint32(20, true), file.bytes.length, file.leftOut]).toEqual([
      linkType,
      24 + 17 * kept,
      leftOut,
    ])
  })
})

describe('renderPcapng', () => {
  it('nothing is an empty file', () => expect(renderPcapng([])).toEqual({ bytes: new Uint8Array(0), leftOut: [] }))

  it('packets of all link types in the order of time, on an interface for each type', () => {
    const { bytes, leftOut } = renderPcapng([packet(2500, 1, 0xaa), packet(1001, 1, 0xbb, 0xcc), packet(1, 228, 1, 2, 3, 4)])
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        '0a0d0d0a' + '1c000000' + '4d3c2b1a' + '01000000' + 'ffffffffffffffff' + '1c000000',
        '01000000' + '14000000' + 'e4000000' + '00000400' + '14000000',
        '01000000' + '14000000' + '01000000' + '00000400' + '14000000',
        '06000000' + '24000000' + '00000000' + '00000000' + 'e8030000' + '04000000' + '04000000' + '01020304' + '24000000',
        '06000000' + '24000000' + '01000000' + '00000000' + '28460f00' + '02000000' + '02000000' + 'bbcc0000' + '24000000',
        '06000000' + '24000000' + '01000000' + '00000000' + 'a0252600' + '01000000' + '01000000' + 'aa000000' + '24000000',
      ].join(''),
    )
    expect(leftOut).toEqual([])
  })
})

describe('frames', () => {
  it.each([
    [5, '8105'],
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ])('a text of %i bytes', (length, header) => {
    const frame = frameText('a'.repeat(length))
    expect(frame.subarray(0, header.length / 2).toString('hex')).toBe(header)
    expect(frame.length).toBe(header.length / 2 + length)
  })

  it('a binary one', () => expect(frameBinary(Uint8Array.of(1)).toString('hex')).toBe('820101'))
})
