import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { join, NOW_S, reading } from './netflow-reading.ts'
import { type WrittenField, writeIpfix, writeSet, writeTemplate } from './netflow-writer.ts'

// Records of a set are read side by side, field by field, and what a template writes stays in the rows for the set after it. Whatever comes
// before, beside and after a record must not change what is read of it.

/** Elements of every kind: plain numbers of every length, addresses, times, sampling, what completes a record, and foreign ones. */
const FIELDS: readonly WrittenField[] = (
  '1:4 1:8 2:8 2:3 4:1 5:1 6:1 6:2 7:2 11:2 8:4 12:4 27:16 28:16 10:4 14:2 21:4 22:4 32:2 34:4 48:1 50:4 56:6 58:2 61:1 80:6 85:8 86:8 136:1 ' +
  '139:2 150:4 151:4 152:8 153:8 154:8 155:8 158:4 159:4 160:8 161:4 162:4 176:1 177:1 305:4 306:4 309:4 310:4 311:8 9:1 16:4 300:5'
)
  .split(' ')
  .map((word) => word.split(':').map(Number) as [number, number])

const template = fc.shuffledSubarray([...FIELDS], { minLength: 1, maxLength: 20 })
/** Templates, and turns of sets: of which template, and the bytes of its records. Many bytes are 0, which completing looks at. */
const turns = fc.array(template, { minLength: 1, maxLength: 3 }).chain((templates) =>
  fc.record({
    templates: fc.constant(templates),
    sets: fc.array(
      fc.nat(templates.length - 1).chain((which) => {
        const recordBytes = templates[which]!.reduce((sum, [, bytes]) => sum + bytes, 0)
        const byte = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(255) })
        const record = fc.array(byte, { minLength: recordBytes, maxLength: recordBytes }).map((bytes) => Uint8Array.from(bytes))
        // Up to more records than are read at once: those of a few repeated.
        return fc.record({
          which: fc.constant(which),
          some: fc.array(record, { minLength: 1, maxLength: 4 }),
          count: fc.integer({ min: 1, max: 70 }),
        })
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
)

const message = (...sets: readonly Uint8Array[]) => writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets)
const define = (which: number, fields: readonly WrittenField[]) => message(writeSet(2, writeTemplate(256 + which, fields)))

test('a record is read as it is alone, whatever records are beside it', () => {
  fc.assert(
    fc.property(turns, ({ templates, sets }) => {
      const together = reading()
      for (const [which, fields] of templates.entries()) together.read(define(which, fields))
      for (const { which, some, count } of sets) {
        const records = Array.from({ length: count }, (_, i) => some[i % some.length]!)
        const alone = some.map((record) => {
          const fresh = reading()
          fresh.read(define(which, templates[which]!))
          const [read] = fresh.read(message(writeSet(256 + which, record, false)))
          return read
        })
        const read = together.read(message(writeSet(256 + which, join(...records), false)))
        expect(read).toEqual(records.map((_, i) => alone[i % some.length]))
      }
    }),
    { numRuns: 300 },
  )
})
