import { execFileSync } from 'node:child_process'
import { freemem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Figure } from '../../../bench/figures.ts'

const NODES = 1_000_000
/** The peer takes the most: below this it would swap, or be killed. */
const NEEDED_BYTES = 14 * 2 ** 30
const NODE_FLAGS = ['--expose-gc', '--max-old-space-size=16000']
const RUN_BUNDLED = fileURLToPath(new URL('../../../bench/run-bundled.mjs', import.meta.url))

/** Resident MiB of a process of its own that holds one graph. */
function residentMiB(kind: 'own' | 'peer' | 'peer-copies', nodes: number): number {
  const file = fileURLToPath(new URL('./memory-of-one.ts', import.meta.url))
  const output = execFileSync(process.execPath, [...NODE_FLAGS, RUN_BUNDLED, file, kind, String(nodes)], { encoding: 'utf8' })
  return Number(output) / 2 ** 20
}

/** With little memory free the graph is a tenth of the size, and its name says so. */
async function run(): Promise<Figure[]> {
  const nodes = freemem() >= NEEDED_BYTES ? NODES : NODES / 10
  const value = residentMiB('own', nodes)
  const name = `resident with ${nodes} nodes of 25 keys and 2.92 times the edges`
  const beside = (peer: string, peerValue: number): Figure => ({
    name,
    value,
    unit: 'MiB',
    peer,
    peerValue,
    ratio: value / peerValue,
  })
  return [
    beside('graphology 0.26.0, objects as given', residentMiB('peer', nodes)),
    beside('graphology 0.26.0, own copies', residentMiB('peer-copies', nodes)),
  ]
}

export const bench = { name: 'memory', run }
