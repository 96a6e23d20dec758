// Writes one change every few milliseconds and says what was written, until somebody kills it.
import { register } from 'tsx/esm/api'

register()
const { openSqliteStorage } = await import('../src/index.ts')

const storage = await openSqliteStorage({ dataDir: process.argv[2] })
let version = 0
setInterval(() => {
  version += 1
  const nowMs = Date.now()
  const node = {
    kind: 'node',
    id: `n${version}`,
    metadata: { version },
    host: 'h',
    origin: 'agent.h',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    deletedAtMs: null,
    revision: 1,
  }
  storage.topology.append({ version, timeMs: nowMs, events: [{ kind: 'node-added', node }] })
  process.stdout.write(`${version} ${nowMs}\n`)
}, 2)
