// Where benches are: bench/*.bench.ts and packages/*/bench/*.bench.ts.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './workspace.mjs'

export function benchFiles() {
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
