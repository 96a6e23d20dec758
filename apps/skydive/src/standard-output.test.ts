import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runCli } from './cli.ts'
import { FileOutput, watched } from './standard-output.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skydive-output-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes pieces to a descriptor, and answers how that ended. */
async function writeAll(fd: number, pieces: readonly Buffer[]) {
  const output = watched(new FileOutput(fd))
  for (const piece of pieces) output.stream.write(piece)
  const stderr = new PassThrough({ encoding: 'utf8' })
  const exitCode = await output.finish(0, stderr)
  closeSync(fd)
  return { exitCode, told: stderr.read() as string | null }
}

/** An output that refuses whatever it is given. */
function refusing(code: string): Writable {
  return new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error(`${code}: refused, write`), { code }))
    },
  })
}

describe('a file', () => {
  test('gets everything, in order', async () => {
    const file = join(folder, 'all')
    const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(7_000, i))
    expect(await writeAll(openSync(file, 'w'), pieces)).toEqual({ exitCode: 0, told: null })
    expect(readFileSync(file).equals(Buffer.concat(pieces))).toBe(true)
  })

  test('on a full disk ends the command with 1 and one line', async () => {
    expect(await writeAll(openSync('/dev/full', 'w'), [Buffer.from('x')])).toEqual({
      exitCode: 1,
      told: 'skydive: standard output: ENOSPC: no space left on device, write; what is there is not all\n',
    })
  })

  test('that takes a part, as a disk does that is nearly full, has not got the whole', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    // A pipe that nobody reads takes 64 KiB, and then refuses.
    const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    expect(await writeAll(fd, [Buffer.alloc(100_000)])).toMatchObject({
      exitCode: 1,
      told: expect.stringContaining('EAGAIN'),
    })
  })
})

describe('flows of a file, to an output that fails with', () => {
  // A pcap file of one packet: its header, the record's, and the frame.
  const pcap = [
    'd4c3b2a1020004000000000000000000ffff000001000000',
    '00000000000000002200000022000000',
    '02000000000202000000000108004500001400000000401100000a0000010a000002',
  ].join('')
  test.each([
    ['EPIPE', 0, null],
    ['EIO', 1, 'skydive: standard output: EIO: refused, write; what is there is not all\n'],
  ])('%s end with %i', async (code, expected, told) => {
    const file = join(folder, 'a.pcap')
    writeFileSync(file, Buffer.from(pcap, 'hex'))
    const stderr = new PassThrough({ encoding: 'utf8' })
    const output = watched(refusing(code))
    const exitCode = await runCli(['flows', file, file], {
      environment: {},
      stdout: output.stream,
      stderr,
      entry: import.meta.url,
    })
    expect([await output.finish(exitCode, stderr), stderr.read()]).toEqual([expected, told])
  })
})
