// `npm run bench [-- name… --json]`: runs packages/*/bench/*.bench.ts and bench/*.bench.ts, each bundled, in a process of its own.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildApps, install, ROOT, run } from './workspace.mjs'

function benchFiles() {
  const folders = [
    join(ROOT, 'bench'),
    ...readdirSync(join(ROOT, 'packages')).map((name) => join(ROOT, 'packages', name, 'bench')),
  ]
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.bench.ts'))
      .map((file) => join(folder, file)),
  )
}

export async function bench(args) {
  const names = args.filter((arg) => !arg.startsWith('--'))
  const json = args.includes('--json')
  const code = (await install()) || (await buildApps())
  if (code !== 0) return code
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
      ])) === 0
        ? 0
        : 1
  }
  return failed === 0 ? 0 : 1
}
