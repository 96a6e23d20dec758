// Proves the artefacts: packs every package, checks the tarballs, installs them into a foreign folder and imports each,
// as ES module and by require.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sideBySide } from '../tools/run/side-by-side.mjs'
import { pnpm, ROOT, run } from '../tools/run/workspace.mjs'

const workDir = mkdtempSync(join(tmpdir(), 'skydive-smoke-'))
const tarballs = join(workDir, 'tarballs')
mkdirSync(tarballs)

const publishable = readdirSync(join(ROOT, 'packages'))
  .map((folder) => ({ manifest: readManifest(join(ROOT, 'packages', folder)) }))
  .filter(({ manifest }) => manifest && !manifest.private)

function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Stops the run with a line that says which step of which package failed. */
function must(code, what) {
  if (code === 0) return
  console.error(`smoke: ${what} failed (exit code ${code})`)
  process.exit(1)
}

async function checkTarball(manifest, tarball) {
  const bin = (name) => join(ROOT, 'node_modules', '.bin', name)
  must(await run(bin('publint'), ['--strict', tarball], { quiet: true }), `publint of ${manifest.name}`)
  if (manifest.exports)
    must(await run(bin('attw'), [tarball, '--profile', 'esm-only', '--no-emoji'], { quiet: true }), `attw of ${manifest.name}`)
}

try {
  // All at once: pnpm takes longer to start than to pack.
  const chosen = publishable.map(({ manifest }) => `--filter=${manifest.name}`)
  must(await pnpm([...chosen, 'pack', '--pack-destination', tarballs], { quiet: true }), 'pack of the packages')
  const packed = readdirSync(tarballs)
  const tarballOf = (name) => {
    const prefix = `${name.replace('@', '').replace('/', '-')}-`
    const file = packed.find((candidate) => candidate.startsWith(prefix) && /^\d/.test(candidate.slice(prefix.length)))
    if (!file) throw new Error(`no tarball of ${name} among ${packed.join(', ')}`)
    return join(tarballs, file)
  }

  const inTurn = sideBySide()
  await Promise.all(publishable.map(({ manifest }) => inTurn(() => checkTarball(manifest, tarballOf(manifest.name)))))

  const foreign = join(workDir, 'foreign')
  mkdirSync(foreign)
  const dependencies = Object.fromEntries(publishable.map(({ manifest }) => [manifest.name, `file:${tarballOf(manifest.name)}`]))
  writeFileSync(
    join(foreign, 'package.json'),
    JSON.stringify({ name: 'foreign', private: true, type: 'module', dependencies, pnpm: { overrides: dependencies } }),
  )
  must(
    await pnpm(['install', '--prefer-offline', '--ignore-workspace', '--ignore-scripts'], { cwd: foreign, quiet: true }),
    'installation in a foreign folder',
  )

  const specifiers = publishable.flatMap(({ manifest }) =>
    Object.keys(manifest.publishConfig?.exports ?? manifest.exports ?? {})
      .filter((key) => !key.endsWith('.json') && !key.includes('worker') && !key.includes('*'))
      .map((key) => manifest.name + key.slice(1)),
  )
  writeFileSync(join(foreign, 'import.mjs'), specifiers.map((name) => `await import(${JSON.stringify(name)})`).join('\n'))
  must(await run(process.execPath, ['import.mjs'], { cwd: foreign, quiet: true }), 'import of every package')
  writeFileSync(join(foreign, 'require.cjs'), specifiers.map((name) => `require(${JSON.stringify(name)})`).join('\n'))
  must(await run(process.execPath, ['--no-warnings', 'require.cjs'], { cwd: foreign, quiet: true }), 'require of every package')

  // Types as users of either resolution see them; what a third party adds to the builder counts.
  const graphs = specifiers.filter((name) => /^@skydive\/(contracts|filter|graph|gremlin-dsl)(\/|$)/.test(name))
  writeFileSync(
    join(foreign, 'types.ts'),
    `${graphs.map((name, i) => `import type * as module${i} from ${JSON.stringify(name)}`).join('\n')}
export type Modules = [${graphs.map((_, i) => `typeof module${i}`).join(', ')}]
import { createGraph } from '@skydive/graph'
import { createGremlin } from '@skydive/gremlin-dsl'
import { ask, g, gt } from '@skydive/gremlin-dsl/builder'
import { watch } from '@skydive/gremlin-dsl/watch'
declare module '@skydive/gremlin-dsl/builder' {
  interface NodeFields { MTU: number }
}
const graph = createGraph()
export const mtus: Promise<readonly number[]> = ask(createGremlin({ graph }), g.V().where({ MTU: gt(1500) }).values('MTU'))
export const watched = watch(graph, 'G.V().Count()')
// @ts-expect-error: a number is wanted.
g.V().has('MTU', 'large')
`,
  )
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const compilerOptions = {
      noEmit: true,
      strict: true,
      target: 'es2022',
      lib: ['es2023', 'dom'],
      types: [],
      module,
      moduleResolution,
    }
    writeFileSync(join(foreign, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }))
    must(
      await run(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', '.'], { cwd: foreign, quiet: true }),
      `types under ${moduleResolution}`,
    )
  }
  console.log(`smoke: ${publishable.length} packages packed, checked, installed and imported`)
} finally {
  rmSync(workDir, { recursive: true, force: true })
}
