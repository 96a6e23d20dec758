import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type Browser, chromium, type Page } from 'playwright-core'
import type {} from '../packages/web/src/mount.tsx'
import type {} from '../packages/web/src/ui/topology-canvas.tsx'
import { type AllInOne, startAllInOne } from './all-in-one.ts'

const CHROMIUM = '/usr/bin/chromium'
const isThere = existsSync(CHROMIUM)
if (!isThere && process.env['SKYDIVE_CI'] === '1') throw new Error(`${CHROMIUM} is not there: apt-get install chromium`)
const describeInBrowser = isThere ? describe : describe.skip

// Playwright says what it waited for; jest must not be faster.
jest.setTimeout(20_000)

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne
let browser: Browser
let page: Page
/** What the page complained about, but for answers that the tests provoke. */
const complaints: string[] = []

beforeAll(async () => {
  if (!isThere) return
  network = enterPrivateNetwork(kernel.systemCall as never)
  network.ip(
    'netns add web',
    'netns add db',
    'link add br0 type bridge',
    'link add veth-web type veth peer name eth0 netns web',
    'link add veth-db type veth peer name eth0 netns db',
    'link set veth-web master br0',
    'link set veth-db master br0',
    'link set br0 up',
    'link set veth-web up',
    'link set veth-db up',
  )
  for (const [name, address] of [
    ['web', '10.0.0.1/24'],
    ['db', '10.0.0.2/24'],
  ] as const) {
    network.run('ip', ['addr', 'add', address, 'dev', 'eth0'], name)
    network.run('ip', ['link', 'set', 'eth0', 'up'], name)
  }
  server = await startAllInOne({ hostId: 'alpha', env: { SKYDIVE_AGENT_TOPOLOGY_NETLINK_METRICS_UPDATE: '1' } })
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(15_000)
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(server.url)
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

/** The row of the tree whose words begin so: `web, netns`. */
const row = (words: string) => page.getByRole('treeitem', { name: new RegExp(`^${words}`) })

/** Every drawn element as `where/name kind`, sorted. */
const drawn = (): Promise<string[]> =>
  page.evaluate(() => {
    const { elements } = window.skydivePage!.scene
    const label = (id: string): string => elements.get(id)?.label ?? ''
    return [...elements.values()].map(({ label: name, parent, kind }) => `${label(parent)}/${name} ${kind}`).sort()
  })

/** Waits until an element `where/name` is drawn, or is not. */
const untilDrawn = (path: string, isDrawn = true): Promise<unknown> =>
  page.waitForFunction(
    ([wanted, there]) => {
      const elements = window.skydivePage?.scene.elements
      const found = [...(elements?.values() ?? [])].some(
        ({ label, parent }) => `${elements!.get(parent)?.label ?? ''}/${label}` === wanted,
      )
      return found === there
    },
    [path, isDrawn] as const,
  )

/** Where everything is in the world, by its path. */
const places = (): Promise<Record<string, string>> =>
  page.evaluate(() => {
    const { elements } = window.skydivePage!.scene
    return Object.fromEntries(
      [...elements.values()].map(({ label, parent, x, y }) => [`${elements.get(parent)?.label ?? ''}/${label}`, `${x} ${y}`]),
    )
  })

/** Where an element is on the screen. */
const onScreen = async (path: string): Promise<{ x: number; y: number }> =>
  page.evaluate((wanted) => {
    const { elements } = window.skydivePage!.scene
    const found = [...elements.values()].find(({ label, parent }) => `${elements.get(parent)?.label ?? ''}/${label}` === wanted)
    return window.skydiveCanvas!.position(found!.id)!
  }, path)

const click = async (path: string): Promise<void> => {
  const { x, y } = await onScreen(path)
  await page.mouse.click(x, y)
}

const highlighted = (): Promise<string[]> =>
  page.evaluate(() => {
    const { scene, state } = window.skydivePage!
    return [...state.highlighted].map((id) => scene.elements.get(id)!.label).sort()
  })

/** Types a query in place of the one that is there, and runs it. */
const ask = async (query: string): Promise<void> => {
  await page.getByRole('tab', { name: 'Gremlin' }).click()
  const box = page.getByRole('textbox', { name: 'Gremlin query' })
  await box.fill(query)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Run' }).click()
}

describeInBrowser('the page', () => {
  test('shows host, namespaces and interfaces, nested, without being asked', async () => {
    for (const path of ['alpha/br0', 'web/eth0', 'db/eth0']) await untilDrawn(path)
    expect(await drawn()).toEqual([
      '/alpha open',
      'alpha/br0 leaf',
      'alpha/db open',
      'alpha/lo leaf',
      'alpha/veth-db leaf',
      'alpha/veth-web leaf',
      'alpha/web open',
      'db/eth0 leaf',
      'db/lo leaf',
      'web/eth0 leaf',
      'web/lo leaf',
    ])
  })

  test('what comes and goes does so at once, and nothing else moves', async () => {
    const before = await places()
    network.ip('link add v0 type veth peer name v1 netns web')
    await untilDrawn('alpha/v0')
    await untilDrawn('web/v1')
    expect(await places()).toEqual({ ...before, 'alpha/v0': expect.any(String), 'web/v1': expect.any(String) })
    network.ip('link del v0')
    await untilDrawn('alpha/v0', false)
    await untilDrawn('web/v1', false)
    expect(await places()).toEqual(before)
  })

  test('a double click folds and unfolds, and everything is where it was', async () => {
    const before = await places()
    const { x, y } = await onScreen('alpha/web')
    await page.mouse.dblclick(x, y)
    await untilDrawn('web/eth0', false)
    expect((await drawn()).filter((line) => line.startsWith('alpha/web'))).toEqual(['alpha/web folded'])
    const folded = await onScreen('alpha/web')
    await page.mouse.dblclick(folded.x, folded.y)
    await untilDrawn('web/eth0')
    expect(await places()).toEqual(before)
  })

  test('the tree is walked, folded and searched by keyboard', async () => {
    const before = await places()
    const tree = page.getByRole('tree', { name: 'Topology' })
    await tree.focus()
    const active = (): Promise<string | null> =>
      page.evaluate(() => {
        const id = document.querySelector('[role=tree]')?.getAttribute('aria-activedescendant')
        return (id && document.getElementById(id)?.getAttribute('aria-label')) || null
      })
    const untilActive = (words: string): Promise<void> => untilAnswer(active, (label) => label?.startsWith(words) === true)
    await page.keyboard.press('Home')
    await untilActive('alpha, host')
    await page.keyboard.type('web')
    await untilActive('web, netns')
    await page.keyboard.press('ArrowLeft')
    await untilDrawn('web/eth0', false)
    await row('web, netns').and(page.locator('[aria-expanded=false]')).waitFor()
    await page.keyboard.press('ArrowRight')
    await row('web, netns').and(page.locator('[aria-expanded=true]')).waitFor()
    await page.keyboard.press('ArrowRight')
    await untilActive('eth0, veth, up')
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Details of eth0' }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await untilActive('web, netns')
    expect(await places()).toEqual(before)
  })

  test('search finds by address and goes there', async () => {
    await page.keyboard.press('/')
    await page.keyboard.type('10.0.0.2')
    await page.getByRole('option', { name: /eth0 veth · alpha ⊃ db/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: 'Where it is' }).getByText('db').waitFor()
    await page.getByText('10.0.0.2/24').waitFor()
  })

  test('details tell metadata and neighbours, and plot the traffic', async () => {
    await click('alpha/veth-web')
    await page.getByRole('region', { name: 'Details of veth-web' }).waitFor()
    const neighbors = page.locator('.neighbors li')
    expect((await neighbors.allTextContents()).sort()).toEqual(['← br0 layer2 · alpha', '→ eth0 layer2 · alpha ⊃ web'])
    network.run('ping', ['-c', '3', '-i', '0.2', '10.0.0.2'], 'web')
    await page.getByText(/received .+ sent .+\/s/).waitFor()
    await page.waitForFunction(() => (window.skydivePage?.state.metrics.length ?? 0) > 0)
  })

  test('a Gremlin query marks what it finds', async () => {
    await ask("G.V().Has('Type', 'veth', 'Name', 'eth0')")
    await page.getByText('2 results, marked in the drawing').waitFor()
    expect(await highlighted()).toEqual(['eth0', 'eth0'])
    await page.getByRole('button', { name: 'Clear marks' }).click()
    await page.waitForFunction(() => window.skydivePage!.state.highlighted.size === 0)
  })

  test('a Gremlin fault is shown at its place', async () => {
    await ask("G.V().Hass('Type', 'netns')")
    await page.getByRole('alert').filter({ hasText: 'Hass' }).waitFor()
    expect(await page.getByRole('alert').filter({ hasText: 'Hass' }).textContent()).toContain('      ^')
    expect(await page.locator('.cm-lintRange-error').textContent()).toBe('Hass')
  })

  test('the Gremlin box completes steps and the keys of this network', async () => {
    const box = page.getByRole('textbox', { name: 'Gremlin query' })
    await box.fill('')
    await box.pressSequentially('G.V().HasK')
    await page.getByRole('option', { name: 'HasKey' }).waitFor()
    await page.keyboard.press('Tab')
    await box.pressSequentially("'MAC")
    await page.getByRole('option', { name: 'MAC' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await box.textContent()).toBe("G.V().HasKey('MAC')")
  })

  test('a capture is started on the selected interface, its flows appear, one is followed, it is stopped', async () => {
    await page.getByRole('tab', { name: 'Flows' }).click()
    await click('alpha/veth-web')
    const panel = page.getByRole('region', { name: 'Capture' })
    await panel.getByRole('button', { name: 'Start' }).click()
    await panel.getByText('active').waitFor()
    await row('veth-web, veth, up, being captured').waitFor()
    network.run('ping', ['-c', '3', '-i', '0.2', '10.0.0.2'], 'web')
    const flow = page.getByRole('row', { name: /^ICMPv4 eth0 10\.0\.0\.1 eth0 10\.0\.0\.2 6 / })
    await flow.waitFor()
    await panel.getByText(/[1-9]\d* received, 0 dropped/).waitFor()
    await flow.getByRole('button').click()
    await page.waitForFunction(() => window.skydivePage!.state.way.length > 0)
    expect(await highlighted()).toEqual(['br0', 'eth0', 'eth0', 'veth-db', 'veth-web'])
    await panel.getByRole('button', { name: /^Stop/ }).click()
    await row('veth-web, veth, up$').waitFor()
    expect(await (await fetch(`${server.url}/api/capture`)).json()).toEqual({})
    await page.keyboard.press('Escape')
    await page.waitForFunction(() => window.skydivePage!.state.highlighted.size === 0)
  }, 30_000)

  test('a capture that the agent refuses says why', async () => {
    const [tid] = (await server.query("G.V().Has('Name', 'br0').Values('TID')")) as [string]
    const body = JSON.stringify({ GremlinQuery: `G.V().Has('TID', '${tid}')`, Type: 'ebpf' })
    const headers = { 'Content-Type': 'application/json' }
    expect((await fetch(`${server.url}/api/capture`, { method: 'POST', body, headers })).status).toBe(201)
    await click('alpha/br0')
    const panel = page.getByRole('region', { name: 'Capture' })
    await panel.getByText('refused').waitFor()
    await panel.getByText(/type "ebpf" is not available on this agent/).waitFor()
    await panel.getByRole('button', { name: /^Stop/ }).click()
    await panel.getByText('refused').waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
  })

  test('the past shows a namespace that is gone; Live goes back', async () => {
    const before = await places()
    const atMs = Date.now()
    network.ip('netns del db')
    await untilDrawn('alpha/db', false)
    // The history tells of an instant once it is stored.
    await server.until(`G.At(${atMs}).V().Has('Name', 'db').Count()`, (count) => count === 1)
    const local = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
    await page.getByLabel('Date and time to show').fill(local)
    await untilDrawn('db/eth0')
    await page.getByText('The network as it was at').waitFor()
    expect(await places()).toEqual(before)
    await page.getByRole('button', { name: 'Live', exact: true }).click()
    await untilDrawn('alpha/db', false)
    await page.getByText('The network as it was at').waitFor({ state: 'detached' })
  })

  test('the slider reaches back by keyboard', async () => {
    await page.getByRole('slider', { name: 'Time' }).focus()
    await page.keyboard.press('ArrowLeft')
    await page.getByText('The network as it was at').waitFor()
    await page.getByRole('button', { name: 'Back to live' }).click()
    await page.getByText('The network as it was at').waitFor({ state: 'detached' })
  })

  test('a lost connection is told, and resumed without a reload', async () => {
    const before = await places()
    await page.evaluate(() => Object.assign(window, { isSamePage: true }))
    await server.kill()
    await page.getByRole('alert').filter({ hasText: 'Connection lost' }).waitFor()
    expect(await places()).toEqual(before)
    network.ip('netns add late')
    await server.restart()
    await untilDrawn('alpha/late')
    await page.getByRole('alert').filter({ hasText: 'Connection lost' }).waitFor({ state: 'detached' })
    const after = await places()
    expect(after).toEqual({ ...before, 'alpha/late': expect.any(String), ...pick(after, 'late/lo') })
    expect(await page.evaluate(() => 'isSamePage' in window)).toBe(true)
  }, 60_000)

  test('asks for a name and a password where the analyzer wants them, and says when they are wrong', async () => {
    const guarded = await browser.newPage()
    try {
      const answer = (status: number, body: object = {}) => ({
        status,
        contentType: 'application/json',
        body: JSON.stringify(body),
      })
      await guarded.route('**/api/status', (route) => route.fulfill(answer(401)))
      await guarded.route('**/login', (route) =>
        route.fulfill(
          route.request().postData() === 'username=admin&password=right' ? answer(200, { Token: 'dG9rZW4' }) : answer(401),
        ),
      )
      await guarded.goto(server.url)
      await guarded.getByLabel('User').fill('admin')
      await guarded.getByLabel('Password').fill('wrong')
      await guarded.keyboard.press('Enter')
      await guarded.getByRole('alert').filter({ hasText: 'Wrong user name or password.' }).waitFor()
      await guarded.getByLabel('Password').fill('right')
      const asked = guarded.waitForRequest('**/api/topology')
      await guarded.keyboard.press('Enter')
      await guarded.getByRole('treeitem', { name: /^alpha, host/ }).waitFor()
      expect((await asked).headers()['x-auth-token']).toBe('dG9rZW4')
    } finally {
      await guarded.close()
    }
  })

  test('every control has a name, and nothing went wrong meanwhile', async () => {
    const nameless = await page.evaluate(() =>
      Array.from(document.querySelectorAll<HTMLElement>('button, input, select, [role=tree], [role=combobox]'))
        .filter((control) => {
          const label = control.getAttribute('aria-label') ?? control.getAttribute('aria-labelledby')
          const text = control.textContent ?? ''
          return !label && text.trim() === '' && control.closest('label') === null && control.getAttribute('type') !== 'range'
        })
        .map((control) => control.outerHTML),
    )
    expect([nameless, complaints]).toEqual([[], []])
  })
})

/** The entry of that name, where there is one. */
function pick(record: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return name in record ? { [name]: record[name]! } : {}
}

/** Asks the page again at every frame until the answer satisfies. */
async function untilAnswer<T>(question: () => Promise<T>, satisfies: (answer: T) => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await question()
    if (satisfies(answer)) return
    if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${timeoutMs} ms`)
    await page.evaluate(() => new Promise(requestAnimationFrame))
  }
}
