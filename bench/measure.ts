import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Figure } from './figures.ts'

const ROOT = join(import.meta.dirname, '..')

/** Runs a bench, bundled and in a process of its own, for a test that guards its ratios against collapse. */
export function measure(file: string): Figure[] {
  const lines = execFileSync(process.execPath, ['--conditions=@skydive/source', 'bench/run-one.mjs', file, '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Figure)
}
