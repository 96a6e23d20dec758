// Compiles the programs of this folder into src/*-program.ts: `node packages/flow-table/assembly/assemble.mjs`. With `--print NAME` the text
// of one goes to the output instead, for the test that holds the files against their sources.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = import.meta.dirname
/** Not among the dependencies: it takes 100 MB, and only who changes a program needs it. */
const COMPILER = ['--yes', '--prefer-offline', '--package=assemblyscript@0.28.20', 'asc']
const FLAGS = ['-O3', '--runtime', 'stub', '--noAssert', '--memoryBase', '0']
/** The encoder has a memory of its own of a fixed size; the packet loop works in that of its table, which grows. */
const PROGRAMS = {
  'flow-encoder': { constant: 'ENCODER_PROGRAM', flags: ['--initialMemory', '8', '--maximumMemory', '8'] },
  'packet-loop': { constant: 'PACKET_LOOP_PROGRAM', flags: ['--importMemory', '--enable', 'simd'] },
}
const TARGETS = { 'flow-encoder': 'encoder-program', 'packet-loop': 'packet-loop-program' }

function assemble(name) {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  try {
    const out = join(folder, `${name}.wasm`)
    const { constant, flags } = PROGRAMS[name]
    execFileSync('npx', [...COMPILER, `${name}.ts`, ...FLAGS, ...flags, '-o', out], { cwd: HERE, stdio: 'inherit' })
    return `// Made by assembly/assemble.mjs; do not edit. The sources are in assembly/.

/** The WebAssembly program of \`assembly/${name}.ts\`, in Base64. */
export const ${constant} =
  '${readFileSync(out).toString('base64')}'
`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const asked = process.argv.indexOf('--print')
if (asked > 0) process.stdout.write(assemble(process.argv[asked + 1]))
else for (const name of Object.keys(PROGRAMS)) writeFileSync(join(HERE, '..', 'src', `${TARGETS[name]}.ts`), assemble(name))
