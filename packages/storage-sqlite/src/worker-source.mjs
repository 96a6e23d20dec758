// Starts the worker from its TypeScript source, which Node 20 can't do by itself. Only tests and development come this way.
import { register } from 'tsx/esm/api'

register()
await import('./worker.ts')
