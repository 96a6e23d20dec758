import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runCli } from '../cli.ts'

const HEADER = 'd4c3b2a1020004000000000000000000ffff0000'
const PACKET = '0000000000000000220000002200000002000000000202000000000108004500001400000000401100000a0000010a000002'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skydive-flows-'))
  const files = {
    whole: `${HEADER}01000000${PACKET}`,
    cut: `${HEADER}01000000${PACKET}${PACKET.slice(0, 50)}`,
    foreign: `${HEADER}93000000${PACKET}`,
    text: Buffer.from('hello world').toString('hex'),
  }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), Buffer.from(bytes, 'hex'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The exit code, how many flows and heads came out, and what was said, without the folder. */
async function flows(...args: readonly string[]) {
  const [stdout, stderr] = [new PassThrough({ encoding: 'utf8' }), new PassThrough({ encoding: 'utf8' })]
  const paths = args.map((arg) => (arg.startsWith('-') ? arg : join(folder, arg)))
  const exitCode = await runCli(['flows', '--csv', ...paths], { environment: {}, stdout, stderr, entry: import.meta.url })
  const lines = ((stdout.read() as string | null) ?? '').split('\n').filter((line) => line !== '')
  const heads = lines.filter((line) => line.startsWith('Start,')).length
  const said = ((stderr.read() as string | null) ?? '').replaceAll(`${folder}/`, '')
  return { exitCode, flows: lines.length - heads, heads, said }
}

const NONE = 'skydive: file "none": there is no such file\n'
const TEXT = 'skydive: text: not a pcap or pcapng file (it begins with 68656c6c)\n'
const CUT = 'skydive: cut: the capture file is cut: the record at byte 74 has only 25 bytes; what came before was read\n'
const FOREIGN = 'skydive: foreign: no flows are made of packets of link type 147\n'

describe('flows of', () => {
  test.each([
    ['whole', { exitCode: 0, flows: 1, heads: 1, said: '' }],
    ['whole whole', { exitCode: 0, flows: 2, heads: 1, said: '' }],
    ['cut whole', { exitCode: 1, flows: 2, heads: 1, said: CUT }],
    ['foreign whole', { exitCode: 1, flows: 1, heads: 1, said: FOREIGN }],
    ['none whole', { exitCode: 2, flows: 1, heads: 1, said: NONE }],
    ['whole text cut none whole', { exitCode: 2, flows: 3, heads: 1, said: TEXT + CUT + NONE }],
    ['none text', { exitCode: 2, flows: 0, heads: 0, said: NONE + TEXT }],
  ])('%s', async (files, expected) => {
    expect(await flows(...files.split(' '))).toEqual(expected)
  })
})
