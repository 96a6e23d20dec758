// `npm run reference`: writes docs/reference from the docstrings of what other tools import; `--check` only says whether it is current.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, ReflectionKind } from 'typedoc'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TARGET = join(ROOT, 'docs', 'reference')

/** Entry points, and how their pages are called: as they are imported, without the scope. */
const PAGES = {
  'contracts/src/index.ts': 'contracts',
  'filter/src/index.ts': 'filter',
  'filter/src/json.ts': 'filter-json',
  'graph-core/src/index.ts': 'graph',
  'graph-core/src/linking.ts': 'graph-linking',
  'gremlin-dsl/src/index.ts': 'gremlin-dsl',
  'gremlin-dsl/src/builder.ts': 'gremlin-dsl-builder',
  'gremlin-dsl/src/completion.ts': 'gremlin-dsl-completion',
  'gremlin-dsl/src/elements.ts': 'gremlin-dsl-elements',
  'gremlin-dsl/src/explain-text.ts': 'gremlin-dsl-explain-text',
  'gremlin-dsl/src/watch.ts': 'gremlin-dsl-watch',
}

/** What has to have a docstring in every export of these packages. Members of types that are written in place are told by those. */
const DOCUMENTED = ['@skydive/filter', '@skydive/graph', '@skydive/gremlin-dsl']
const KINDS = ['Variable', 'Function', 'Class', 'Interface', 'TypeAlias', 'Constructor', 'Method', 'Accessor']

/** Warns of fields of interfaces and classes that say nothing of themselves. */
function checkFields(project, logger) {
  for (const field of project.getReflectionsByKind(ReflectionKind.Property)) {
    const isNamed = field.parent?.kindOf(ReflectionKind.ClassOrInterface)
    const isOurs = DOCUMENTED.includes(project.getSymbolIdFromReflection(field)?.packageName)
    if (isNamed && isOurs && !field.hasComment()) logger.warn(`${field.getFullName()} has no docstring`)
  }
}

/** Writes the pages into a folder. A broken link or a missing docstring is an error. */
async function generate(folder) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: Object.keys(PAGES).map((file) => join(ROOT, 'packages', file)),
    tsconfig: join(ROOT, 'tsconfig.reference.json'),
    // Types are checked by a step of their own.
    skipErrorChecking: true,
    readme: 'none',
    name: 'Reference',
    router: 'module',
    disableSources: true,
    packagesRequiringDocumentation: DOCUMENTED,
    requiredToBeDocumented: KINDS,
    validation: { notDocumented: true, invalidLink: true, notExported: true },
    excludePrivate: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    githubPages: false,
    treatWarningsAsErrors: true,
    logLevel: 'Warn',
    out: folder,
  })
  const project = await app.convert()
  if (!project) throw new Error('the sources of the reference could not be read')
  for (const module of project.children ?? []) {
    const page = Object.entries(PAGES).find(([file]) => file.replace(/(\/index)?\.ts$/, '') === module.name)
    if (!page) throw new Error(`no name for the page of ${module.name}`)
    module.name = page[1]
  }
  app.validate(project)
  checkFields(project, app.logger)
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('the docstrings have mistakes, see above')
}

function filesOf(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile())
    .sort()
}

const textsOf = (folder) => new Map(filesOf(folder).map((path) => [relative(folder, path), readFileSync(path, 'utf8')]))

async function check() {
  const fresh = mkdtempSync(join(tmpdir(), 'reference-'))
  try {
    await generate(fresh)
    const wanted = textsOf(fresh)
    const held = textsOf(TARGET)
    const stale = [...new Set([...wanted.keys(), ...held.keys()])].filter((name) => wanted.get(name) !== held.get(name))
    if (stale.length === 0) return 0
    console.error(`docs/reference is not what the docstrings say (${stale.join(', ')}): npm run reference`)
    return 1
  } finally {
    rmSync(fresh, { recursive: true })
  }
}

if (process.argv.includes('--check')) process.exitCode = await check()
else {
  rmSync(TARGET, { recursive: true, force: true })
  await generate(TARGET)
}
