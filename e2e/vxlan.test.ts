import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { chromium } from 'playwright-core'
import type {} from '../packages/web/src/mount.tsx'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

// Two namespaces joined by a cable, and over it by a VXLAN: x[vx0 over v0] ── y[v1 under vx1]. Each ping crosses four interfaces.

const CHROMIUM = '/usr/bin/chromium'
const isThere = existsSync(CHROMIUM)
if (!isThere && process.env['SKYDIVE_CI'] === '1') throw new Error(`${CHROMIUM} is not there: apt-get install chromium`)
const testInBrowser = isThere ? test : test.skip

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  network.ip('netns add x', 'netns add y')
  // What interfaces say of themselves by IPv6 would begin a flow now at this end, now at the other.
  for (const name of ['x', 'y']) {
    network.run('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'], name)
  }
  network.ip('link add v0 netns x type veth peer name v1 netns y')
  for (const [namespace, cable, tunnel, own, other] of [
    ['x', 'v0', 'vx0', 1, 2],
    ['y', 'v1', 'vx1', 2, 1],
  ] as const) {
    for (const line of [
      `addr add 10.9.0.${own}/24 dev ${cable}`,
      `link set ${cable} up`,
      `link add ${tunnel} type vxlan id 42 remote 10.9.0.${other} dstport 4789 dev ${cable}`,
      `addr add 192.168.42.${own}/24 dev ${tunnel}`,
      `link set ${tunnel} up`,
    ]) {
      network.run('ip', ['-n', namespace, ...line.split(' ')])
    }
  }
  server = await startAllInOne({ env: { SKYDIVE_FLOW_UPDATE: '2' } })
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

const NAMES = ['v0', 'vx0', 'vx1', 'v1'] as const

/** The only flow of a kind on an interface. */
async function flowOn(name: string, application: string): Promise<Flow> {
  const flows = (await server.until(
    `G.V().Has('Name', '${name}').Flows().Has('Application', '${application}')`,
    (found: readonly Flow[]) => found.length === 1 && found[0]!.Metric!.ABPackets === 3 && found[0]!.Metric!.BAPackets === 3,
  )) as Flow[]
  return flows[0]!
}

describe('a VXLAN between two namespaces, captured at all of its ends', () => {
  test('the flow inside has the flow outside as its parent, and is the same flow at each point', async () => {
    const { code, stderr } = await skydive(
      ['client', 'capture', 'create', '--gremlin', "G.V().Has('Name', Within('v0', 'v1', 'vx0', 'vx1'))"],
      { env: server.env },
    )
    expect([code, stderr]).toEqual([0, ''])
    await server.until("G.V().Has('Captures.State', 'active').Count()", (count) => count === 4)
    network.run('ping', ['-c', '3', '-i', '0.2', '192.168.42.2'], 'x')

    const inner = Object.fromEntries(
      await Promise.all(NAMES.map(async (name) => [name, await flowOn(name, 'ICMPv4')] as const)),
    ) as Record<(typeof NAMES)[number], Flow>
    const outer = await Promise.all(
      (['v0', 'v1'] as const).map(async (name) => {
        const { ParentUUID } = inner[name]
        const [flow] = (await server.query(`G.V().Has('Name', '${name}').Flows().Has('UUID', '${ParentUUID}')`)) as Flow[]
        return flow
      }),
    )
    expect(outer.map((flow) => [flow?.LayersPath, flow?.Network?.A, flow?.Network?.B, flow?.Transport?.B])).toEqual([
      ['Ethernet/IPv4/UDP/VXLAN', '10.9.0.1', '10.9.0.2', 4789],
      ['Ethernet/IPv4/UDP/VXLAN', '10.9.0.1', '10.9.0.2', 4789],
    ])
    expect(NAMES.map((name) => [inner[name].LayersPath, inner[name].Network!.A, inner[name].ICMP?.Type])).toEqual(
      NAMES.map(() => ['Ethernet/IPv4/ICMPv4', '192.168.42.1', 'ECHO']),
    )
    // In the tunnel's own interfaces the flow has no parent; the tracking id is that of the conversation, wherever it is seen.
    expect([inner.vx0.ParentUUID, inner.vx1.ParentUUID]).toEqual(['', ''])
    expect(new Set(NAMES.map((name) => inner[name].TrackingID)).size).toBe(1)
    expect(new Set(NAMES.map((name) => inner[name].UUID)).size).toBe(4)
  }, 60_000)

  test('the way of the flow can be asked for', async () => {
    const { TrackingID } = await flowOn('vx0', 'ICMPv4')
    const hops = (await server.query(`G.Flows().Has('TrackingID', '${TrackingID}').Hops().Values('Name').Dedup()`)) as string[]
    expect([...hops].sort()).toEqual(['v0', 'v1', 'vx0', 'vx1'])
  }, 30_000)

  testInBrowser(
    'the page shows the way of the flow',
    async () => {
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      })
      try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
        page.setDefaultTimeout(15_000)
        await page.goto(server.url)
        await page.getByRole('tab', { name: 'Flows' }).click()
        // The table holds only the rows that are seen, the newest first: what neighbours say of themselves would push ours out.
        await page.getByLabel('Filter flows').fill('ICMPv4')
        const flow = page.getByRole('row', { name: /^ICMPv4 vx0 192\.168\.42\.1 vx1 192\.168\.42\.2 6 / }).first()
        await flow.getByRole('button').click()
        const shown = () =>
          page.evaluate(() => {
            const { scene, state } = window.skydivePage!
            const label = (id: string) => scene.elements.get(id)!.label
            return {
              nodes: [...state.highlighted].map(label).sort(),
              way: state.way.map(({ from, to }) => [label(from), label(to)].sort().join(' ')).sort(),
            }
          })
        await page.waitForFunction(() => window.skydivePage!.state.way.length > 0)
        // A VXLAN has no relation to the interface that it runs over.
        expect(await shown()).toEqual({ nodes: ['v0', 'v1', 'vx0', 'vx1'], way: ['v0 v1'] })
      } finally {
        await browser.close()
      }
    },
    60_000,
  )
})
