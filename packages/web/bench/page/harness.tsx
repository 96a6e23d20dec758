import { mountPage } from '../../src/mount.tsx'

// The real page over an engine whose graph is generated: `?hosts=…&open&live` says how much.
const worker = new Worker(new URL('./synthetic-worker.ts', import.meta.url), { type: 'module' })
mountPage(worker)
worker.postMessage({ kind: 'bench-start', search: location.search })
