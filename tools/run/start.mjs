// `npm start [-- option…]`: installs, builds what is stale and runs `skydive allinone` with the options.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildApps, install, ROOT } from './workspace.mjs'

export async function start({ names: args }) {
  const code = (await install()) || (await buildApps())
  if (code !== 0) return code
  const child = spawn(process.execPath, [join(ROOT, 'apps', 'skydive', 'bin', 'skydive.js'), 'allinone', ...args], {
    stdio: 'inherit',
  })
  // The terminal sends ^C to the whole group; what others send to npm is handed on.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => child.on('close', (exitCode, signal) => resolve(exitCode ?? (signal ? 1 : 0))))
}
