// Bundles the command line with both daemons, a file for each thread, and the page, straight from the sources
// (docs/decisions/2026-11-25-apps-are-bundled.md). `--no-page` leaves the page out.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT, run } from './run/workspace.mjs'

const APP = join(ROOT, 'apps', 'skydive')
const DIST = join(APP, 'dist')
const WEB = join(ROOT, 'packages', 'web')
const packageSource = (folder, file) => join(ROOT, 'packages', folder, 'src', file)

/** Packages with native code, found at run time in the node_modules of the app. */
const NATIVE = ['koffi', '@photostructure/sqlite', 'pcap']

const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['@skydive/source'],
  external: NATIVE,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  // Each process reads all of it at its start. Names stay, so that a stack trace can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  // CommonJS dependencies ask for require, which an ES module does not have.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
}

for (const entry of ['skydive.js', 'chunks', 'threads']) rmSync(join(DIST, entry), { recursive: true, force: true })
await Promise.all([
  build({
    ...options,
    entryPoints: { skydive: join(APP, 'src', 'main.ts') },
    outdir: DIST,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
  }),
  build({
    ...options,
    entryPoints: {
      store: packageSource('storage-sqlite', 'worker.ts'),
      readiness: packageSource('kernel', 'readiness-worker.ts'),
      capture: packageSource('capture', 'agent/capture-worker.ts'),
      afpacket: packageSource('probe-afpacket', 'index.ts'),
    },
    outdir: join(DIST, 'threads'),
    splitting: true,
    chunkNames: 'shared-[hash]',
  }),
])

if (!process.argv.includes('--no-page')) {
  const vite = join(WEB, 'node_modules', 'vite', 'bin', 'vite.js')
  process.exitCode = await run(
    process.execPath,
    [vite, 'build', '--outDir', join(DIST, 'page'), '--emptyOutDir', '--logLevel', 'warn'],
    { cwd: WEB, quiet: true },
  )
}
