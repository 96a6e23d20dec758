// Bundles the command line with both daemons, a file for each thread, and the page, straight from the sources
// (docs/decisions/2026-11-25-apps-are-bundled.md). `--no-page` leaves the page out.
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
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
}

/**
 * What `skydive flows` never asks for: the other commands, with daemons, configuration and network; regular expressions of filters; and the
 * programs that a command may be to commander, which would load the network of Node.
 */
const withoutOtherCommands = {
  name: 'without-other-commands',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/commands\/all\.ts$|^re2js$/ }, ({ path }) => ({ path, external: true }))
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      importer.includes('/commander/') ? { path, namespace: 'nothing' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: '' }))
  },
}

/**
 * The command line with both daemons is one CommonJS script, because V8 keeps compiled code only of such: bin/load-bundle.js runs it. What is
 * imported dynamically is still evaluated when it is first asked for. `skydive flows` has a script of its own, a tenth as long: reading the whole one
 * takes as long as 500,000 packets. The last line tells the contents, so that nobody has to hash them at each start.
 */
async function buildCommandLine(name, plugins = []) {
  const { outputFiles } = await build({
    ...options,
    plugins,
    format: 'cjs',
    entryPoints: [join(APP, 'src', 'main.ts')],
    outfile: join(DIST, name),
    // In functions of CommonJS there is no import.meta; the loader gives its URL, and names for all threads.
    define: { 'import.meta.url': 'bundleUrl', 'import.meta.resolve': 'undefined' },
    legalComments: 'linked',
    write: false,
  })
  mkdirSync(DIST, { recursive: true })
  for (const { path, text } of outputFiles) writeFileSync(path, path.endsWith('.cjs') ? named(asAscii(withImporter(text))) : text)
}

/** With its own hash in the last line, for bin/load-bundle.js. */
function named(code) {
  return `${code}// contents: ${createHash('sha1').update(code).digest('hex').slice(0, 16)}\n`
}

/** Code from V8's cache has lost what a script needs to import by itself: the modules of others, known only at run time, are imported by the loader. */
function withImporter(code) {
  return code.replace(/\bimport\((?=[\w$]+\))/g, 'importModule(')
}

/** One byte a character, so that V8 neither decodes the script nor keeps two bytes of each. esbuild leaves regular expressions as they are. */
function asAscii(code) {
  return code.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

for (const entry of ['skydive.cjs', 'flows.cjs', 'code-cache', 'threads'])
  rmSync(join(DIST, entry), { recursive: true, force: true })
await Promise.all([
  buildCommandLine('skydive.cjs'),
  buildCommandLine('flows.cjs', [withoutOtherCommands]),
  build({
    ...options,
    format: 'esm',
    // CommonJS dependencies ask for require, which an ES module does not have.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    entryPoints: {
      store: packageSource('storage-sqlite', 'worker.ts'),
      readiness: packageSource('kernel', 'readiness-worker.ts'),
      capture: packageSource('capture', 'agent/capture-worker.ts'),
      afpacket: packageSource('probe-afpacket', 'index.ts'),
      pcap: packageSource('probe-pcap', 'index.ts'),
      sflow: packageSource('probe-sflow', 'index.ts'),
      netflow: packageSource('probe-netflow', 'index.ts'),
      pcapsocket: packageSource('probe-pcapsocket', 'index.ts'),
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
