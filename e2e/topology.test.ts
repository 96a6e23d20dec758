import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { type AllInOne, skydive, startAllInOne } from './all-in-one.ts'

const kernel = openKernel()
let network: PrivateNetwork
let server: AllInOne

beforeAll(async () => {
  network = enterPrivateNetwork(kernel.systemCall as never)
  server = await startAllInOne()
}, 60_000)

afterAll(async () => {
  await server?.dispose()
  network?.leave()
  kernel.dispose()
}, 30_000)

describe('two namespaces joined by a cable', () => {
  test('are there at once, nested, joined, and named by the command line', async () => {
    network.ip('netns add x', 'netns add y', 'link add v0 netns x type veth peer name v1 netns y')
    await server.until("G.V().Has('Name', 'v1').Both('Name', 'v0').Count()", (count) => count === 1)
    expect(await server.query("G.V().Has('Type','netns','Name','x').Out('Name', 'v0').Values('Type')")).toEqual(['veth'])

    const { code, stdout, stderr } = await skydive(
      ['client', 'query', "G.V().Has('Type','netns','Name','x').Out().Values('Name').Dedup()"],
      { env: server.env },
    )
    expect({ code, stderr, names: (JSON.parse(stdout) as string[]).sort() }).toEqual({ code: 0, stderr: '', names: ['lo', 'v0'] })
  }, 30_000)

  test('a namespace that is gone is gone from now and present before', async () => {
    const before = Date.now()
    network.ip('netns del x')
    await server.until("G.V().Has('Name', 'x').Count()", (count) => count === 0)
    expect(await server.query(`G.At(${before}).V().Has('Name', 'x').Out('Name', 'v0').Count()`)).toBe(1)
  })

  test('the past outlives a kill -9 of everything, and the present is back without a gap', async () => {
    network.ip('netns add z')
    await server.until("G.V().Has('Name', 'z').Count()", (count) => count === 1)
    const [id] = (await server.query("G.V().Has('Name', 'z').Values('TID')")) as string[]
    // What was accepted is durable after a second at most; the history itself tells when.
    const seenAt = Date.now()
    await server.until(`G.At(${seenAt}).V().Has('Name', 'z').Count()`, (count) => count === 1)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await server.kill()
    network.ip('netns del z')
    await server.restart()
    await server.until("G.V().Has('Type', 'host').Count()", (count) => count === 1)
    expect(await server.query("G.V().Has('Name', 'z').Count()")).toBe(0)
    expect(await server.query(`G.At(${seenAt}).V().Has('Name', 'z').Values('TID')`)).toEqual([id])
  }, 60_000)

  test('allinone ends as a whole, with 0, when it is asked to, and knows what was gone before', async () => {
    const goneAt = Date.now()
    expect(await server.stop()).toBe(0)
    await server.restart()
    // Only the store tells of the time between the starts: what the agent did not bring back ended then, not a minute later.
    expect(await server.query(`G.At(${goneAt}).V().Has('Type', 'host').Count()`)).toBe(1)
    expect(await server.query(`G.At(${goneAt}).V().Has('Name', 'z').Count()`)).toBe(0)
  }, 60_000)
})
