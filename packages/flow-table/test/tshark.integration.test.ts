// Captures that are made up, in any nesting of links, tunnels and payloads, held against how Wireshark's tshark takes them apart.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EXTRA_LAYERS } from '@skydive/contracts'
import { encodePcap } from '@skydive/packet'
import { type RandomCapture, randomCaptures } from './random-captures.ts'
import { dissectByTshark, isTsharkInstalled, sequencesOf, type TsharkPacket } from './tshark.ts'
import { countedFlows, expectedFlows, expectedShape, flowsOf, shapeOf } from './tshark-flows.ts'

const CAPTURES = 400
const SEED = Number(process.env['SKYDIVE_SEED'] ?? 20_260_712)
const T0 = 1_700_000_000_000

const suite = isTsharkInstalled() || process.env['SKYDIVE_CI'] === '1' ? describe : describe.skip

suite(`${CAPTURES} captures (seed ${SEED}) beside tshark`, () => {
  let captures: readonly RandomCapture[]
  let dissected: readonly (readonly TsharkPacket[])[]
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'b-tshark-'))
    captures = randomCaptures(SEED, 0, CAPTURES)
    const file = join(folder, 'all.pcap')
    writeFileSync(
      file,
      encodePcap(captures.flatMap(({ packets }, i) => packets.map((data, k) => ({ timeMs: T0 + i * 1000 + k, data })))),
    )
    const all = dissectByTshark(file)
    expect(all.length).toBe(captures.reduce((sum, { packets }) => sum + packets.length, 0))
    let at = 0
    dissected = captures.map(({ packets }) => all.slice(at, (at += packets.length)))
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('every packet has the layers, ends, tags, tunnel ids and ports that tshark finds', () => {
    for (const [i, { recipe, packets }] of captures.entries()) {
      for (const [k, bytes] of packets.entries()) {
        const expected = sequencesOf(dissected[i]![k]!).map(expectedShape)
        expect({ recipe, flows: flowsOf([bytes]).map(shapeOf) }).toEqual({ recipe, flows: expected })
      }
    }
  })

  test('every capture has the flows, packets of both directions and bytes that tshark counts', () => {
    for (const [i, { recipe, packets }] of captures.entries()) {
      const flows = countedFlows(flowsOf(packets))
      expect({ recipe, flows }).toEqual({ recipe, flows: expectedFlows(dissected[i]!) })
    }
  })

  test('conversations of TCP and UDP are as many as the streams that tshark numbers', () => {
    for (const [i, { recipe, packets }] of captures.entries()) {
      // In tunnels the numbers of tshark go across the flows around them.
      if (!recipe.every((part) => !/vxlan|geneve|gre|gtp|erspan|mpls/.test(part))) continue
      for (const protocol of ['tcp', 'udp'] as const) {
        const streams = new Set(dissected[i]!.flatMap((packet) => packet.get(`${protocol}.stream`)!))
        const own = flowsOf(packets).filter(({ Transport }) => Transport?.Protocol === protocol.toUpperCase())
        expect({ recipe, streams: own.length }).toEqual({ recipe, streams: streams.size })
      }
    }
  })

  test('DNS messages have the id, the name and the kind that tshark reads', () => {
    let messages = 0
    for (const [i, { packets }] of captures.entries()) {
      for (const [k, packet] of dissected[i]!.entries()) {
        if (packet.get('dns.id')!.length === 0) continue
        messages++
        const [flow] = flowsOf([packets[k]!], { extraLayers: EXTRA_LAYERS.DNS }).slice(-1)
        expect([Number(flow?.DNS?.ID ?? 0), flow?.DNS?.questions?.[0]?.name, flow?.DNS?.QR === true]).toEqual([
          Number(packet.get('dns.id')![0]),
          packet.get('dns.qry.name')![0],
          ['1', 'True'].includes(packet.get('dns.flags.response')![0]!),
        ])
      }
    }
    expect(messages).toBeGreaterThan(100)
  })
})
