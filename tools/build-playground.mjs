// `npm run playground`: bundles the program of docs/playground/index.html and says where the page is. It opens from the file system.
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const folder = join(ROOT, 'docs', 'playground')

/** A classic script, because pages from the file system may not load modules. */
export async function buildPlayground() {
  await build({
    entryPoints: [join(folder, 'playground.ts')],
    outfile: join(folder, 'playground.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@skydive/source'],
    logLevel: 'warning',
  })
  return pathToFileURL(join(folder, 'index.html')).href
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await buildPlayground())
