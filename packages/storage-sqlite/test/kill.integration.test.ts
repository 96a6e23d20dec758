import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { openSqliteStorage } from '../src/index.ts'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** Runs the writer until it has told of `count` changes, kills it at once, and answers what it told: version and time of each. */
function writeAndKill(dataDir: string, count: number): Promise<readonly (readonly [number, number])[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--no-warnings', '--conditions=@skydive/source', join(import.meta.dirname, 'kill-child.mjs'), dataDir],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (output.split('\n').length > count) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', () =>
      resolve(
        output
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split(' ').map(Number) as [number, number]),
      ),
    )
  })
}

test.each([120, 333, 700])(
  'killed after %d changes: opens by itself, and only the last second may be missing',
  async (count) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'skydive-kill-'))
    dirs.push(dataDir)
    const told = await writeAndKill(dataDir, count)
    const killedAtMs = told.at(-1)![1]

    const storage = await openSqliteStorage({ dataDir })
    const view = await storage.topology.open({ startMs: killedAtMs, lastMs: killedAtMs + 10_000 })
    const lost = told.filter(([version]) => view.nodeOrdinal(`n${version}`) < 0)
    await storage.close()

    expect(told.length).toBeGreaterThanOrEqual(count)
    expect(lost.filter(([, writtenAtMs]) => writtenAtMs < killedAtMs - 1_000)).toEqual([])
  },
  60_000,
)
