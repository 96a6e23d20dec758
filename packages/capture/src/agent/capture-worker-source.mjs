// Runs the worker from its TypeScript source, for tests and development: Node 20 takes no TypeScript. Not part of the published package.
import { tsImport } from 'tsx/esm/api'

await tsImport('./capture-worker.ts', import.meta.url)
