// `npm run bench [-- name… --json --row text]`: runs packages/*/bench/*.bench.ts and bench/*.bench.ts, each bundled, in a process of its own.
import { basename, join } from 'node:path'
import { benchFiles } from './bench-files.mjs'
import { buildApps, install, ROOT, run } from './workspace.mjs'

export async function bench({ names, options }) {
  const json = options['--json'] === true
  const matching = benchFiles().filter(
    (file) => names.length === 0 || names.some((name) => file.slice(ROOT.length).includes(name)),
  )
  if (matching.length === 0) {
    console.error(
      `no bench matches ${names.join(', ')}; there are: ${benchFiles()
        .map((file) => basename(file, '.bench.ts'))
        .join(', ')}`,
    )
    return 2
  }
  const code = (await install()) || (await buildApps())
  if (code !== 0) return code
  let failed = 0
  for (const file of matching) {
    const runner = join(ROOT, 'bench', 'run-one.mjs')
    failed +=
      (await run(process.execPath, [
        '--expose-gc',
        '--conditions=@skydive/source',
        runner,
        file,
        ...(json ? ['--json'] : []),
        ...(options['--row'] === undefined ? [] : ['--row', options['--row']]),
      ])) === 0
        ? 0
        : 1
  }
  return failed === 0 ? 0 : 1
}
