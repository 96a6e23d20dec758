import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type Browser, chromium, type Page } from 'playwright-core'
import { buildPlayground } from '../tools/build-playground.mjs'

const CHROMIUM = '/usr/bin/chromium'
const isThere = existsSync(CHROMIUM)
if (!isThere && process.env['SKYDIVE_CI'] === '1') throw new Error(`${CHROMIUM} is not there: apt-get install chromium`)
const describeInBrowser = isThere ? describe : describe.skip

jest.setTimeout(20_000)

const EXAMPLE = join(import.meta.dirname, '../docs/examples/two-hosts.json')

describeInBrowser('the playground, from the file system', () => {
  let browser: Browser
  let page: Page
  const complaints: string[] = []

  beforeAll(async () => {
    const address = await buildPlayground()
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
    page = await browser.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(address)
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
  })

  async function ask(query: string, button: string): Promise<string> {
    await page.locator('#answer').evaluate((answer) => {
      answer.textContent = ''
    })
    await page.fill('#query', query)
    await page.click(`text="${button}"`)
    await page.waitForFunction("document.getElementById('answer').textContent !== ''")
    return (await page.textContent('#answer'))!
  }

  test('loads a topology file', async () => {
    await page.setInputFiles('#file', EXAMPLE)
    await page.waitForFunction("document.getElementById('loaded').textContent.includes('are loaded')")
    expect(await page.textContent('#loaded')).toBe('21 nodes and 28 edges are loaded.')
  })

  test('answers queries', async () => {
    expect(JSON.parse(await ask("G.V().Has('Type', 'host').Values('Name')", 'Ask'))).toEqual(['alpha', 'beta'])
    // Regular expressions, whose engine comes when it is first needed.
    expect(JSON.parse(await ask("G.V().Has('Name', Regex('v(web|db)')).Count()", 'Ask'))).toBe(2)
  })

  test('explains queries', async () => {
    expect(await ask("G.V().Has('Type', 'host')", 'Explain')).toContain('index Type = "host": about 2 rows')
  })

  test('says what is wrong with a query', async () => {
    expect(await ask('G.V().Hass()', 'Ask')).toContain('did you mean Has?')
  })

  test('says what is wrong with a file', async () => {
    await page.setInputFiles('#file', { name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"Nodes":[]}') })
    await page.waitForFunction("document.getElementById('loaded').classList.contains('error')")
    expect(await page.textContent('#loaded')).toBe('this is no topology: an object with Nodes and Edges is expected')
    expect(complaints).toEqual([])
  })
})
