import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, type CommandResult, skydive, startAllInOne } from './all-in-one.ts'

const kernel = openKernel()
/** In a network of its own. */
const AGENT = '127.0.0.1:8081'
let network: PrivateNetwork
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  network.ip('netns add old', 'link add d0 type bridge', 'link add d1 type bridge', 'link add d2 type veth peer name p2')
  server = await startAllInOne({ env: { SKYDIVE_AGENT_LISTEN: AGENT } })
  await server.until("G.V().Has('Name', Within('d0', 'd1', 'd2', 'old')).Count()", (count) => count === 4)
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

const diff = (...args: string[]): Promise<CommandResult> => skydive(['client', 'topology', 'diff', ...args], { env: server.env })

/** Lines about elements and keys of what the test itself does; IPv6 addresses and flags come by themselves. */
function said(stdout: string): string[] {
  return stdout.split('\n').filter((line) => /^ {2}[-+~]|^ {6}(Name|MTU|State):/.test(line))
}

test('the agent tells the difference of what a query finds, too', async () => {
  const ask = async (gremlin: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://${AGENT}/api/topology/diff?from=-50s&gremlin=${encodeURIComponent(gremlin)}`)
    return { status: response.status, body: await response.text() }
  }
  const { status, body } = await ask("G.V().Has('Name', Within('d0', 'd1'))")
  const changes = JSON.parse(body).Nodes.map(({ Change }: { Change: string }) => Change)
  expect([status, changes]).toEqual([200, ['added', 'added']])
  expect((await ask('G.V().Count()')).status).toBe(400)
}, 30_000)

describe('client topology diff', () => {
  let beforeMs = 0

  test('nothing changed: 0', async () => {
    beforeMs = Date.now()
    expect(await diff('--from', String(beforeMs), '--to', String(beforeMs))).toEqual({
      code: 0,
      stdout: 'nothing changed\n',
      stderr: '',
    })
  }, 30_000)

  test('what ip did, and nothing else: 1', async () => {
    network.ip(
      'netns add new',
      'link add d3 type bridge',
      'link set d0 name e0',
      'link set d1 mtu 1400',
      'link set d2 up',
      'link set p2 up',
      'netns del old',
    )
    await server.until("G.V().Has('Type', 'bridge').Has('Name', Within('d3', 'e0')).Count()", (count) => count === 2)
    await server.until("G.V().Has('Name', 'd1', 'MTU', 1400).Count()", (count) => count === 1)
    await server.until("G.V().Has('Name', Within('d2', 'p2'), 'State', 'UP').Count()", (count) => count === 2)
    await server.until("G.V().Has('Type', 'netns').Values('Name')", (names: string[]) => names.join() === 'new')
    await server.until("G.V().Has('Type', 'netns', 'Name', 'new').Out('Name', 'lo').Count()", (count) => count === 1)

    const { code, stdout, stderr } = await diff('--from', String(beforeMs))
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(said(stdout).sort()).toEqual(
      [
        '  + device lo',
        '  + bridge d3',
        '  + netns new',
        '  - device lo',
        '  - netns old',
        '  ~ bridge d1',
        '      MTU: 1500 -> 1400',
        '  ~ veth d2',
        '      State: DOWN -> UP',
        '  ~ veth p2',
        '      State: DOWN -> UP',
        '  ~ bridge e0 (was d0)',
        '      Name: d0 -> e0',
      ].sort(),
    )
    expect(stdout.split('\n').filter((line) => /^\S/.test(line))).toEqual([
      expect.stringMatching(/^e2e$/),
      'e2e › new',
      'e2e › old',
      expect.stringMatching(/^3 added, 2 removed, 4 changed/),
    ])
  }, 60_000)

  test('a query narrows it down at either end, and JSON has it all', async () => {
    const from = ['--from', String(beforeMs)]
    const before = await diff(...from, '--gremlin', "G.V().Has('MTU', 1400)")
    expect([before.code, said(before.stdout)]).toEqual([1, ['  ~ bridge d1', '      MTU: 1500 -> 1400']])
    const none = await diff(...from, '--gremlin', "G.V().Has('Name', 'nobody')")
    expect([none.code, none.stdout]).toEqual([0, 'nothing changed\n'])
    const { Complete, Nodes } = JSON.parse((await diff(...from, '--json')).stdout)
    expect([Complete, Nodes.map(({ Change }: { Change: string }) => Change).sort()]).toEqual([
      true,
      ['added', 'added', 'added', 'changed', 'changed', 'changed', 'changed', 'removed', 'removed'],
    ])
  }, 60_000)

  test('a time before everything is answered with what is known, and says so', async () => {
    const { code, stderr } = await diff('--from', '-24h')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^skydive: nothing is known before \S+; what changed earlier/)])
  }, 30_000)

  test.each<[string, string[], RegExp]>([
    ['a time that is none', ['--from', 'yesterday'], /^skydive: from: "yesterday" is no time; write ms/],
    ['times in the wrong order', ['--from', 'now', '--to', '-1h'], /^skydive: from \(now\) is after to \(-1h\)/],
    ['a query that is none', ['--from', '-1h', '--gremlin', 'G.V('], /^skydive: .+/],
    ['a query that finds no elements', ['--from', '-1h', '--gremlin', 'G.V().Count()'], /^skydive: gremlin: the query answers/],
    ['no time at all', [], /required option '--from <time>'/],
  ])(
    'an error is 2: %s',
    async (_title, args, words) => {
      const { code, stdout, stderr } = await diff(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(words)
    },
    30_000,
  )

  test('no server is an error too, not a difference', async () => {
    const { code, stderr } = await skydive(['client', '--analyzer', '127.0.0.1:1', 'topology', 'diff', '--from', '-1h'])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^skydive: cannot reach http:\/\/127\.0\.0\.1:1/)])
  }, 30_000)
})
