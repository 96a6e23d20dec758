// Makes the folder of a new package: `npm run create-package -- <folder> <layer> "<description>" [--node]`.
// The manifest, build file, test and README that every package of the house has in common come from here.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, layer, description] = process.argv.slice(2)
const usesNode = process.argv.includes('--node')
if (!folder || !layer || !description || !/^[a-z][a-z0-9-]*$/.test(folder)) {
  console.error('usage: npm run create-package -- <folder> <0|1a|1b|2|3|4> "<one line description>" [--node]')
  process.exit(2)
}
const name = folder === 'graph-core' ? '@skydive/graph' : `@skydive/${folder}`
const dir = join(import.meta.dirname, '..', 'packages', folder)
if (existsSync(join(dir, 'package.json'))) {
  console.error(`packages/${folder} exists already; nothing was changed`)
  process.exit(1)
}

const manifest = {
  name,
  version: '0.0.0',
  description,
  license: 'Apache-2.0',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=20.19' },
  repository: { type: 'git', url: 'git+https://github.com/skydive-project/skydive-ts.git', directory: `packages/${folder}` },
  skydive: { layer, node: usesNode },
  exports: {
    '.': { '@skydive/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  },
  publishConfig: {
    access: 'public',
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
  },
  files: ['dist', 'CHANGELOG.md'],
  scripts: { build: 'tsup' },
}

mkdirSync(join(dir, 'src'), { recursive: true })
const put = (file, text) => writeFileSync(join(dir, file), text)
put('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
put('tsup.config.ts', `import { library } from '../../tools/tsup.mjs'\n\nexport default library({ entry: ['src/index.ts'] })\n`)
put(
  'tsconfig.json',
  `${JSON.stringify({ extends: usesNode ? '../../tsconfig.node.json' : '../../tsconfig.base.json', include: ['src'], exclude: ['src/**/*.test.ts'] }, null, 2)}\n`,
)
put('src/index.ts', `/**\n * ${description}\n *\n * @packageDocumentation\n */\n`)
put('README.md', `# ${name}\n\n${description}\n\n## Dependencies\n\nNone.\n`)
console.log(`packages/${folder} is made (${name}, layer ${layer}); run "npm run create-package" for the next, then pnpm install`)
