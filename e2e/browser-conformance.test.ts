import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { type Browser, chromium, type Page } from 'playwright-core'
import { bundlePages, type PagePrograms, servePages } from './page-programs.ts'
import { isSame, type Outcome } from './page-runner.ts'

const CHROMIUM = '/usr/bin/chromium'
const isThere = existsSync(CHROMIUM)
if (!isThere && process.env['SKYDIVE_CI'] === '1') throw new Error(`${CHROMIUM} is not there: apt-get install chromium`)
const describeInBrowser = isThere ? describe : describe.skip

jest.setTimeout(60_000)

const ROOT = join(import.meta.dirname, '..')
const SUITE = 'packages/gremlin-dsl/test/conformance.test.ts'

/** The titles of the suite's tests as it runs in Node, in order. All of them pass, or this throws. */
async function titlesInNode(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', SUITE, '--selectProjects', 'unit', '--json'],
    { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
  )
  const { testResults } = JSON.parse(stdout) as { testResults: { assertionResults: { fullName: string }[] }[] }
  return testResults.flatMap(({ assertionResults }) => assertionResults.map(({ fullName }) => fullName))
}

describe('the runner of the page', () => {
  const value = fc.jsonValue({ maxDepth: 3 })

  test('says of values what toEqual says', () => {
    const agrees = (a: unknown, b: unknown): void => {
      let isEqual = true
      try {
        expect(a).toEqual(b)
      } catch {
        isEqual = false
      }
      expect(isSame(a, b)).toBe(isEqual)
    }
    fc.assert(fc.property(fc.clone(value, 2), ([a, b]) => agrees(a, b)))
    fc.assert(fc.property(value, value, agrees))
    // One place differs.
    const records = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.nat(1), fc.constant(undefined)))
    fc.assert(fc.property(records, records, agrees))
    fc.assert(fc.property(fc.array(records), fc.array(records), agrees))
  })
})

describeInBrowser('in a page', () => {
  let programs: PagePrograms
  let server: Awaited<ReturnType<typeof servePages>>
  let browser: Browser
  const complaints: string[] = []

  beforeAll(async () => {
    programs = await bundlePages({ suite: SUITE, 'page-runner': 'e2e/page-runner.ts', 'page-queries': 'e2e/page-queries.ts' })
    server = await servePages(programs.files)
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
  })

  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  afterEach(() => expect(complaints.splice(0)).toEqual([]))

  /** An empty page whose requests are counted from now on. */
  async function openPage(): Promise<Page> {
    const page = await browser.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(server.address)
    server.requested.length = 0
    return page
  }

  test('the graph answers as in Node: the suite of sources of graphs', async () => {
    const page = await openPage()
    const outcomes = await page.evaluate<readonly Outcome[]>(
      'Promise.all([import("/page-runner.js"), import("/suite.js")]).then(([runner]) => runner.outcomes())',
    )
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
    const titles = outcomes.map(({ title }) => title)
    expect(titles).toEqual(await titlesInNode())
    expect(titles.length).toBeGreaterThan(700)
    for (const form of ['memory, now', 'memory, read at an instant that is past']) {
      expect(titles.filter((title) => title.startsWith(`graph source ${form} `)).length).toBe(titles.length / 2)
    }
  })

  test('the engine of regular expressions is a file of its own, that no program loads at once', () => {
    expect(programs.filesWith('/re2js/')).toHaveLength(1)
    const [regex] = programs.filesWith('/re2js/')
    expect(programs.loadedWith('suite.js')).not.toContain(regex)
    expect(programs.loadedWith('page-queries.js')).not.toContain(regex)
  })

  const NAMED = 'alp.*'
  test.each([
    [
      'query',
      "query(`G.V().Has('Name','alpha').Values('Name')`)",
      `query(\`G.V().Has('Name',Regex('${NAMED}')).Values('Name')\`)`,
      ['alpha'],
    ],
    ['continuous query', "watched(`G.V().Has('Name','alpha')`)", `watched(\`G.V().Has('Name',Regex('${NAMED}'))\`)`, ['a']],
    [
      'filter',
      "filtered({ TermStringFilter: { Key: 'Name', Value: 'alpha' } })",
      `filtered({ RegexFilter: { Key: 'Name', Value: '${NAMED}' } })`,
      ['a'],
    ],
  ])('a %s loads it when there is a pattern, once', async (_, plain, pattern, answer) => {
    const page = await openPage()
    const ask = (call: string) => page.evaluate(`import('/page-queries.js').then((program) => program.${call})`)
    expect(await ask(plain)).toEqual(answer)
    expect(new Set(server.requested)).toEqual(programs.loadedWith('page-queries.js'))

    server.requested.length = 0
    expect(await ask(pattern)).toEqual(answer)
    expect(server.requested).toEqual(programs.filesWith('/re2js/'))
    expect(await ask(pattern)).toEqual(answer)
    expect(server.requested).toHaveLength(1)
  })
})
