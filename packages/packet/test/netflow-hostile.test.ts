import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { NetflowDecoder } from '../src/netflow/index.ts'
import { hex } from './bytes-writer.ts'
import { join, NOW_MS, NOW_S, reading } from './netflow-reading.ts'
import {
  fieldsOf,
  VARIABLE,
  type WrittenField,
  writeIpfix,
  writeNetflow9,
  writeOptionsTemplate9,
  writeRecord,
  writeSet,
  writeTemplate,
} from './netflow-writer.ts'

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 100_000)

describe('a flood', () => {
  const define = (id: number, fields: readonly WrittenField[], domainId = 7) =>
    writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId }, [writeSet(2, writeTemplate(id, fields))])

  test('of templates: the ones used last stay', () => {
    const { read, counts } = reading({ maxTemplates: 100 })
    const used: WrittenField[] = [[2, 4]]
    read(define(256, used))
    for (let id = 257; id < 5257; id++) {
      read(define(id, [[1, 4]]))
      const data = writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, [writeSet(256, writeRecord(used, [1]))])
      expect(read(data)).toHaveLength(1)
    }
    expect(counts()).toMatchObject({ templates: 5001, evictedTemplates: 4901 })
  })

  test('of fields: a template with too many is refused', () => {
    const { read, counts, decoder } = reading({ maxFields: 16 })
    read(
      define(
        256,
        Array.from({ length: 17 }, () => [1, 4] as const),
      ),
    )
    expect([counts(), decoder.memoryBytes]).toEqual([{ datagrams: 1, refusedTemplates: 1 }, 0])
  })

  test('of domains and of exporters: those silent the longest are forgotten', () => {
    const { read, counts, decoder } = reading({ maxDomains: 8, maxExporters: 16 })
    for (let exporter = 0; exporter < 100; exporter++) {
      for (let domainId = 0; domainId < 20; domainId++) read(define(256, [[1, 4]], domainId), `r${exporter}`)
    }
    expect(decoder.exporters().map(({ name }) => name)).toEqual(Array.from({ length: 16 }, (_, i) => `r${84 + i}`))
    expect(counts()).toEqual({ datagrams: 2000, templates: 2000, evictedDomains: 1200, evictedExporters: 84 })
  })

  test('of memory: all of it together is bounded', () => {
    const maxBytes = 200_000
    const { read, counts, decoder } = reading({ maxBytes })
    const fields = Array.from({ length: 200 }, (_, i) => [i + 1, 4] as const)
    for (let exporter = 0; exporter < 50; exporter++) {
      for (let id = 256; id < 276; id++) read(define(id, fields), `r${exporter}`)
      // One exporter may take what it may by itself: it takes at least two for one of them to go.
      expect(decoder.memoryBytes).toBeLessThan(maxBytes)
    }
    expect(counts()['evictedExporters']).toBeGreaterThan(40)
  })
})

test('of samplers: those beyond the room of a domain are counted, and all of them are memory', () => {
  const { read, counts, decoder } = reading()
  const options = writeOptionsTemplate9(257, [[1, 4]], fieldsOf('48:2 34:4'))
  const wrap = (sets: readonly Uint8Array[]) =>
    writeNetflow9({ count: 1, uptimeMs: 5, exportSeconds: NOW_S, sequence: 1, sourceId: 3 }, sets)
  read(wrap([writeSet(1, options)]))
  const before = decoder.memoryBytes
  const rate = (id: number) => writeRecord(fieldsOf('1:4 48:2 34:4'), [0, id, 100 + id])
  for (let from = 1; from < 1001; from += 100) {
    read(wrap([writeSet(257, join(...Array.from({ length: 100 }, (_, i) => rate(from + i))))]))
  }
  expect(counts()).toMatchObject({ optionsRecords: 1000, refusedSamplers: 744 })
  expect(decoder.memoryBytes - before).toBe(256 * 48)

  // Many domains full of them: the exporter goes when they take more than all may.
  const bounded = reading({ maxBytes: 50_000 })
  for (let sourceId = 0; sourceId < 10; sourceId++) {
    const sets = [writeSet(1, options), writeSet(257, join(...Array.from({ length: 256 }, (_, i) => rate(i))))]
    bounded.read(writeNetflow9({ count: 1, uptimeMs: 5, exportSeconds: NOW_S, sequence: 1, sourceId }, sets))
    expect(bounded.decoder.memoryBytes).toBeLessThanOrEqual(50_000)
  }
  expect(bounded.counts()['evictedExporters']).toBeGreaterThan(0)
})

test('of memory: one exporter by itself gives up what waits, then everything', () => {
  const unknown = writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, [writeSet(300, new Uint8Array(1000))])
  const waiting = reading({ maxBytes: 2_500 })
  for (let i = 0; i < 3; i++) waiting.read(unknown)
  expect([waiting.decoder.memoryBytes, waiting.counts()]).toEqual([0, { datagrams: 3, unknownTemplateSets: 3, droppedSets: 3 }])
  expect(waiting.decoder.exporters()).toHaveLength(1)

  const defining = reading({ maxBytes: 2_500 })
  for (let id = 256; id < 260; id++) {
    defining.read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, [writeSet(2, writeTemplate(id, [[1, 4]]))]))
    expect(defining.decoder.memoryBytes).toBeLessThanOrEqual(2_500)
  }
  expect(defining.counts()).toEqual({ datagrams: 4, templates: 4, evictedExporters: 1 })
})

// Elements whose values come back as they are, with the place where they do.
const PLAIN: readonly [number, number, string][] = [
  [1, 8, 'BYTES'],
  [2, 8, 'PACKETS'],
  [4, 1, 'PROTOCOL'],
  [5, 1, 'TYPE_OF_SERVICE'],
  [6, 2, 'TCP_FLAGS'],
  [7, 2, 'SOURCE_PORT'],
  [10, 4, 'INPUT_INDEX'],
  [11, 2, 'DESTINATION_PORT'],
  [14, 4, 'OUTPUT_INDEX'],
  [56, 6, 'SOURCE_MAC'],
  [58, 2, 'VLAN_ID'],
  [80, 6, 'DESTINATION_MAC'],
  [136, 1, 'END_REASON'],
  [152, 8, 'START_MS'],
  [153, 8, 'END_MS'],
]
/** A template of some of them and of foreign ones between, each as short as it may be, or of variable length where it may be. */
const written = fc
  .shuffledSubarray(
    PLAIN.map((_, i) => i),
    { minLength: 1 },
  )
  .chain((chosen) =>
    fc.record({
      chosen: fc.constant(chosen),
      lengths: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: chosen.length, maxLength: chosen.length }),
      foreign: fc.array(fc.tuple(fc.integer({ min: 1, max: 0x7fff }), fc.constantFrom(0, 1, 7, VARIABLE)), {
        minLength: chosen.length,
        maxLength: chosen.length,
      }),
      rows: fc.array(fc.array(fc.nat(2 ** 40), { minLength: chosen.length, maxLength: chosen.length }), {
        minLength: 1,
        maxLength: 5,
      }),
      domainId: fc.nat(0xffffffff),
    }),
  )

function writeAll({ chosen, lengths, foreign, rows, domainId }: typeof written extends fc.Arbitrary<infer T> ? T : never) {
  const fields: WrittenField[] = chosen.flatMap((which, i) => {
    const [element, longest] = PLAIN[which]!
    return [[element, Math.min(lengths[i]!, longest)] as const, [foreign[i]![0], foreign[i]![1], 4242] as const]
  })
  const sent = rows.map((row) => row.map((value, i) => value % 2 ** (8 * Math.min(fields[i * 2]![1], 5))))
  const records = sent.map((row) =>
    writeRecord(
      fields,
      row.flatMap((value, i) => {
        const bytes = foreign[i]![1]
        return [value, new Uint8Array(bytes === VARIABLE ? i * 100 : bytes).fill(0xee)]
      }),
    ),
  )
  const sets = [writeSet(2, writeTemplate(999, fields)), writeSet(999, join(...records), false)]
  return { sent, bytes: writeIpfix({ exportSeconds: NOW_S, sequence: 5, domainId }, sets) }
}

test('what an exporter writes is what is read', () => {
  fc.assert(
    fc.property(written, (what) => {
      const { sent, bytes } = writeAll(what)
      const read = reading().read(bytes)
      const expected = sent.map((row) => Object.fromEntries(what.chosen.map((which, i) => [PLAIN[which]![2], row[i]!])))
      const shown = read.map((record) =>
        Object.fromEntries(what.chosen.map((which) => [PLAIN[which]![2], record[PLAIN[which]![2]] ?? 0])),
      )
      // Times that are absent, or 0, are those of the message.
      for (const row of expected) {
        const { START_MS: start, END_MS: end } = row
        if (start === 0) row['START_MS'] = end || NOW_MS
        if (end === 0) row['END_MS'] = start || NOW_MS
      }
      expect(shown).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('foreign bytes are read or counted, never anything else, and memory stays bounded (fuzz)', () => {
  const seeds = [
    ...fc.sample(written, { numRuns: 100, seed: 2 }).map((what) => writeAll(what).bytes),
    writeNetflow9({ count: 1, uptimeMs: 5, exportSeconds: NOW_S, sequence: 1, sourceId: 3 }, [
      writeSet(0, writeTemplate(256, fieldsOf('8:4 12:4 22:4 21:4 2:4'))),
      writeSet(1, writeOptionsTemplate9(257, [[1, 4]], [[34, 4]])),
      writeSet(256, new Uint8Array(60).fill(7)),
      writeSet(257, new Uint8Array(16).fill(7)),
    ]),
    join(hex('0005 0002 000186a0 6553f100 1dcd6500 00000000 01 02 4064'), new Uint8Array(96).fill(9)),
  ]
  let handed = 0
  const limits = { maxExporters: 8, maxDomains: 4, maxTemplates: 16, maxFields: 40, maxBytes: 100_000 }
  const decoder = new NetflowDecoder({ record: () => handed++ }, limits)
  let datagrams = 0
  fc.assert(
    fc.property(
      fc.nat(seeds.length - 1),
      fc.array(fc.tuple(fc.nat(200), fc.constantFrom(0, 1, 2, 3, 4, 8, 10, 16, 0x7f, 0x80, 0xff)), { maxLength: 4 }),
      fc.nat(1000),
      fc.nat(20),
      (seed, mutations, cut, exporter) => {
        const bytes = Uint8Array.from(seeds[seed]!)
        for (const [at, value] of mutations) if (at < bytes.length) bytes[at] = value
        const byteLength = cut < 700 ? bytes.length : cut % (bytes.length + 1)
        decoder.decode(new DataView(bytes.buffer, 0, byteLength), 0, byteLength, `r${exporter}`, NOW_MS + datagrams)
        datagrams++
        return decoder.memoryBytes <= limits.maxBytes && decoder.exporters().length <= limits.maxExporters
      },
    ),
    { numRuns: NUM_RUNS },
  )
  expect([decoder.counts.datagrams, decoder.counts.records]).toEqual([datagrams, handed])
}, 3_600_000)
