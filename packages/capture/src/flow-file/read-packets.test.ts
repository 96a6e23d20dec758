import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SkydiveError } from '@skydive/contracts'
import * as fc from 'fast-check'
import { type FlowFileOptions, type FlowFileSummary, flowsOfFile } from '../index.ts'

const HEADER_BYTES = 24
const RECORD_BYTES = 16

let folder: string
let files = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-packets-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  summary?: FlowFileSummary
  readonly error?: unknown
  readonly flows: string
}

/** What an error tells, as a value that can be compared. */
function told(error: unknown): unknown {
  return SkydiveError.isInstance(error) ? { code: error.code, message: error.message, fields: error.fields } : error
}

async function run(options: Pick<FlowFileOptions, 'file' | 'input' | 'bpf' | 'compileBpf'>): Promise<Outcome> {
  const chunks: Buffer[] = []
  const output = new Writable({ write: (chunk: Buffer, _encoding, done) => done(void chunks.push(chunk)) })
  const ended = { output, format: 'binary', ...options } as const
  try {
    const { damage, ...summary } = await flowsOfFile(ended)
    return { summary: { ...summary, ...(damage && { damage: told(damage) as SkydiveError }) }, flows: hex(chunks) }
  } catch (error) {
    return { error: told(error), flows: hex(chunks) }
  }
}

const hex = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('hex')

/** The same bytes as a regular file, and as a pipe that gives them in pieces. */
async function bothWays(file: Uint8Array, cuts: readonly number[], over: Pick<FlowFileOptions, 'bpf' | 'compileBpf'> = {}) {
  const path = join(folder, `${++files}.pcap`)
  writeFileSync(path, file)
  const places = [0, ...cuts.map((cut) => cut % (file.length + 1)).sort((a, b) => a - b), file.length]
  const pieces = places.slice(1).map((to, i) => file.subarray(places[i]!, to))
  const regular = await run({ file: path, ...over })
  rmSync(path)
  const piped = await run({ file: '-', input: Readable.from(pieces.filter(({ length }) => length > 0)), ...over })
  return { regular, piped }
}

interface Packet {
  readonly port: number
  readonly isFlow: boolean
  readonly capturedBytes: number
  readonly claimedBytes?: number
}

interface Layout {
  readonly isLittle: boolean
  readonly isNanoseconds: boolean
  readonly linkType: number
}

function write({ isLittle, isNanoseconds, linkType }: Layout, packets: readonly Packet[]): Uint8Array {
  const file = new Uint8Array(packets.reduce((sum, { capturedBytes }) => sum + RECORD_BYTES + capturedBytes, HEADER_BYTES))
  const view = new DataView(file.buffer)
  view.setUint32(0, isNanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, isLittle)
  // With the length of a frame check sequence.
  view.setUint32(20, 0x44000000 | linkType, isLittle)
  let at = HEADER_BYTES
  for (const [i, { port, isFlow, capturedBytes, claimedBytes }] of packets.entries()) {
    view.setUint32(at, 1_700_000_000 + i, isLittle)
    view.setUint32(at + 4, port, isLittle)
    view.setUint32(at + 8, claimedBytes ?? capturedBytes, isLittle)
    view.setUint32(at + 12, capturedBytes + 7, isLittle)
    at += RECORD_BYTES
    const frame = new Uint8Array(capturedBytes).fill(port)
    if (isFlow && capturedBytes >= 60) {
      frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
      frame.set([port >> 8, port & 255, 0, 7, 0, 26, 0, 0], 34)
    }
    file.set(frame, at)
    at += capturedBytes
  }
  return file
}

const layout = fc.record({
  isLittle: fc.boolean(),
  isNanoseconds: fc.boolean(),
  linkType: fc.constantFrom(1, 1, 1, 101, 113, 9999),
})
const packet = fc.record(
  {
    port: fc.integer({ min: 1, max: 40 }),
    isFlow: fc.boolean(),
    capturedBytes: fc.oneof(
      { weight: 40, arbitrary: fc.integer({ min: 60, max: 1600 }) },
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 80 }) },
      { weight: 2, arbitrary: fc.constantFrom(65_535, 131_056, 131_072, 200_000, 262_143, 262_144) },
    ),
  },
  { noNullPrototype: true },
)
const lie = fc.tuple(packet, fc.constantFrom(0, 1, 59, 100_000, 262_144, 262_145, 0x7fffffff, 0xffffffff))
const packets = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.array(packet, { maxLength: 40 }) }, fc.array(packet, { minLength: 100, maxLength: 500 })),
    fc.option(fc.tuple(lie, fc.nat()), { freq: 3 }),
  )
  .map(([told, lying]): Packet[] => {
    if (!lying) return told
    const [[base, claimedBytes], place] = lying
    const at = place % (told.length + 1)
    return [...told.slice(0, at), { ...base, claimedBytes }, ...told.slice(at)]
  })

test('a regular file gives what a pipe gives: flows, counters and errors, whatever the capture and wherever it is cut', async () => {
  let [whole, damaged, refused] = [0, 0, 0]
  await fc.assert(
    fc.asyncProperty(
      layout,
      packets,
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.option(fc.nat(), { freq: 2 }),
      async (header, captured, cuts, end) => {
        const file = write(header, captured)
        const { regular, piped } = await bothWays(end === null ? file : file.subarray(0, end % (file.length + 1)), cuts)
        if (regular.error) refused++
        else if (regular.summary?.damage) damaged++
        else whole++
        // How far reading got beyond the damage is a matter of pieces.
        if (regular.summary?.damage) piped.summary = { ...piped.summary!, bytesRead: regular.summary.bytesRead }
        expect(regular).toEqual(piped)
      },
    ),
    { numRuns: 200 },
  )
  // Else the comparison would say little.
  expect([whole > 10, damaged > 10, refused > 10]).toEqual([true, true, true])
}, 120_000)

test.each([
  ['nothing', 0, 0, 'ERR_DECODE'],
  ['half a magic', 2, 0, 'ERR_DECODE'],
  ['half a header', 20, 0, 'ERR_DECODE'],
  ['a header alone', 24, 0, undefined],
  ['a header and half of a record’s', 30, 0, 'ERR_DECODE'],
  ['a packet but for its last byte', 24 + 76 + 75, 1, 'ERR_DECODE'],
  ['all of it', 24 + 2 * 76, 2, undefined],
])('a file that holds %s', async (_title, byteLength, packetCount, code) => {
  const captured = [1, 2].map((port) => ({ port, isFlow: true, capturedBytes: 60 }))
  const file = write({ isLittle: true, isNanoseconds: false, linkType: 1 }, captured).subarray(0, byteLength)
  const { regular, piped } = await bothWays(file, [])
  expect(regular).toEqual(piped)
  const error = regular.summary?.damage ?? (regular.error as SkydiveError | undefined)
  expect([regular.summary?.packets ?? 0, error?.code]).toEqual([packetCount, code])
})

test('a filter is made for the link type of the packets, and for none without packets', async () => {
  const asked: number[] = []
  const compileBpf: FlowFileOptions['compileBpf'] = (_expression, { linkType }) => {
    asked.push(linkType)
    // Takes every packet.
    return Uint8Array.from([6, 0, 0, 0, 0xff, 0xff, 0, 0])
  }
  const header = { isLittle: true, isNanoseconds: false, linkType: 101 }
  const file = write(header, [{ port: 1, isFlow: true, capturedBytes: 60 }])
  for (const byteLength of [24, 39, 40, file.length]) {
    asked.length = 0
    const { regular, piped } = await bothWays(file.subarray(0, byteLength), [], { bpf: 'ip', compileBpf })
    expect([regular, asked]).toEqual([piped, byteLength < 40 ? [1, 1] : [1, 101, 1, 101]])
  }
})
