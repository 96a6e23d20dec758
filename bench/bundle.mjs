// Bundles a TypeScript program as packages and apps are built, so that what is measured is what ships: tsx, which runs sources elsewhere, keeps the
// name of every function with a call each time that a closure is made.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, stop } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')

const isOurs = (path) => path.startsWith(ROOT + sep) && !path.includes(`${sep}node_modules${sep}`)

/** Peers and packages with native code stay as they are published, at the place where the importing package finds them. */
const foreignPackages = {
  name: 'foreign-packages',
  setup(plugin) {
    plugin.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'asked' || from.kind === 'entry-point') return undefined
      if (isBuiltin(path)) return { path, external: true }
      const { resolveDir, importer, kind } = from
      const found = await plugin.resolve(path, { resolveDir, importer, kind, pluginData: 'asked' })
      if (found.errors.length > 0 || isOurs(found.path)) return found
      return { path: pathToFileURL(found.path).href, external: true }
    })
  },
}

/** Files that look for others beside themselves find them where their source is. */
const ownPlaces = {
  name: 'own-places',
  setup(plugin) {
    plugin.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      if (!source.includes('import.meta.')) return undefined
      const contents = source
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
      return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' }
    })
  },
}

/** Imports the program, bundled; its worker threads are started from their sources. */
export async function importBundled(file) {
  const folder = mkdtempSync(join(tmpdir(), 'skydive-bench-'))
  const outfile = join(folder, `${basename(file, '.ts')}.mjs`)
  try {
    await build({
      entryPoints: [file],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      keepNames: false,
      // As in the apps: it puts constants of other modules into the code that uses them.
      minifySyntax: true,
      conditions: ['@skydive/source'],
      plugins: [foreignPackages, ownPlaces],
      logLevel: 'warning',
    })
    await stop()
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
