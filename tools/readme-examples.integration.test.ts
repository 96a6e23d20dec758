import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')
const execute = promisify(execFile)
const folders = readdirSync(join(ROOT, 'packages')).filter((name) => existsSync(join(ROOT, 'packages', name, 'README.md')))

/** The fenced `ts` blocks of a package's README, written as modules beside it so that they import by name as a user does. */
const examples = folders.flatMap((folder) => {
  const text = readFileSync(join(ROOT, 'packages', folder, 'README.md'), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match, index) => ({
    folder,
    title: `${folder} #${index + 1}`,
    code: match[1]!,
  }))
})

/** The blocks of a page of the documentation are one program; it runs where the packages that it imports are at hand. */
const guides = readdirSync(join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .flatMap((page) => {
    const blocks = [...readFileSync(join(ROOT, 'docs', page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)]
    const code = blocks.map((match) => match[1]!).join('\n')
    return blocks.length > 0 ? [{ folder: 'gremlin-dsl', title: `docs/${page}`, code }] : []
  })

describe('README examples run', () => {
  afterAll(() => {
    for (const folder of folders) rmSync(join(ROOT, 'packages', folder, '.cache', 'readme'), { recursive: true, force: true })
  })

  // Each is a program of its own: several run at a time.
  test.concurrent.each([...examples, ...guides])(
    '$title',
    async ({ folder, title, code }) => {
      const dir = join(ROOT, 'packages', folder, '.cache', 'readme')
      mkdirSync(dir, { recursive: true })
      const file = join(dir, `${title.replace(/\W+/g, '-')}.ts`)
      writeFileSync(file, code)
      const options = ['--no-warnings', '--import', 'tsx', '--conditions=@skydive/source', file]
      const { stderr } = await execute(process.execPath, options, { timeout: 60_000 })
      expect(stderr).toBe('')
    },
    60_000,
  )
})
