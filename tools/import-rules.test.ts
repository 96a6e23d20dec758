import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ESLint } from 'eslint'

const ROOT = join(import.meta.dirname, '..')

/** The messages of the import rules for one source text at one place. Typed rules are left out: the text is no file of the project. */
async function violations(filePath: string, code: string): Promise<string[]> {
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: {
      languageOptions: { parserOptions: { project: null } },
      rules: { '@typescript-eslint/no-floating-promises': 'off', '@typescript-eslint/no-misused-promises': 'off' },
    },
  })
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, filePath) })
  return result!.messages.map(({ message }) => message)
}

describe('import rules', () => {
  test('a neighbour of the same layer is refused, with the reason', async () => {
    const [message] = await violations(
      'packages/gremlin-dsl/src/x.ts',
      "import { createGraph } from '@skydive/graph'\ncreateGraph()\n",
    )
    expect(message).toContain('neighbours never import each other')
  })

  test('an import upwards is refused', async () => {
    const [message] = await violations(
      'packages/filter/src/x.ts',
      "import { createGraph } from '@skydive/graph'\ncreateGraph()\n",
    )
    expect(message).toContain('imports point down only')
  })

  test('a Node built-in in a layer that runs in a browser is refused', async () => {
    const [message] = await violations(
      'packages/graph-core/src/x.ts',
      "import { readFileSync } from 'node:fs'\nreadFileSync('x')\n",
    )
    expect(message).toContain('run in a browser')
  })

  test('export * is refused', async () => {
    const [message] = await violations('packages/filter/src/x.ts', "export * from './y.ts'\n")
    expect(message).toContain('one explicit list')
  })

  test('an import downwards is accepted', async () => {
    expect(
      await violations('packages/graph-core/src/x.ts', "import { oidUuid } from '@skydive/contracts'\noidUuid('x')\n"),
    ).toEqual([])
  })
})
