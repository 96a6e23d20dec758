import { afterAll, expect, test } from '@jest/globals'
import type { CaptureRefusal } from '../src/index.ts'
import { exchange, startServer, stopServers } from './harness.ts'

afterAll(stopServers)

test('a capture tells the first twenty nodes on which it could not be started, and why', async () => {
  const refusals = Array.from({ length: 21 }, (_, i): CaptureRefusal => ({ nodeId: `n${i}`, host: 'h', reason: `reason ${i}` }))
  let refusedId = ''
  const { port } = await startServer({ captureRefusals: (id) => (id === refusedId ? refusals : []) })
  const post = async (query: string) =>
    JSON.parse((await exchange(port, 'POST', '/api/capture', {}, JSON.stringify({ GremlinQuery: query }))).body) as {
      UUID: string
    }
  const [refused, other] = [await post('G.V()'), await post('G.E()')]
  refusedId = refused.UUID
  const told = refusals.slice(0, 20).map(({ nodeId, host, reason }) => ({ NodeID: nodeId, Host: host, Reason: reason }))
  const get = async (path: string) => JSON.parse((await exchange(port, 'GET', path)).body) as unknown
  expect(await get(`/api/capture/${refused.UUID}`)).toEqual({ ...refused, Refusals: told })
  expect(await get('/api/capture')).toEqual({ [refused.UUID]: { ...refused, Refusals: told }, [other.UUID]: other })
})
