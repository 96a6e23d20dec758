import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { measure } from '../../../bench/measure.ts'

// A guard against collapse, not a figure: `npm run bench -- flows-beside-c` sees a half.

const hasCompiler = existsSync('/usr/bin/gcc') && existsSync('/usr/include/stdio.h')
const suite = hasCompiler || process.env['SKYDIVE_CI'] === '1' ? describe : describe.skip

suite('packets to flows', () => {
  test('take less than four times as long as in C', () => {
    const [{ name, ratio = 0 } = { name: '' }] = measure(join(import.meta.dirname, '..', 'bench', 'flows-beside-c.bench.ts'))
    expect({ name, isFast: ratio > 0.25 }).toEqual({ name: 'a packet of 64 bytes, 10,000 flows', isFast: true })
  }, 240_000)
})
