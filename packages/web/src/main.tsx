import { mountPage } from './mount.tsx'

mountPage(new Worker(new URL('./engine/engine-worker.ts', import.meta.url), { type: 'module', name: 'skydive-engine' }))
