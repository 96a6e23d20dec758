import { afterAll, describe, expect, it } from '@jest/globals'
import { exchange, startServer, stopServers } from './harness.ts'

describe('duplicates', () => {
  afterAll(stopServers)

  it.each<[string, object, string]>([
    [
      'of a type that runs once on a node',
      { Type: 'pcapsocket', BPFFilter: 'tcp' },
      'capture <id> (web) has the same type, pcapsocket, and query',
    ],
    ['without a type', {}, 'capture <id> (web) has the same type, query and filter'],
  ])('a second capture %s is refused with the first that is in its way', async (_title, over, why) => {
    const { port } = await startServer()
    const post = (body: object) => exchange(port, 'POST', '/api/capture', {}, JSON.stringify({ GremlinQuery: 'G.V()', ...body }))
    const { body: first } = await post({ ...over, Name: 'web' })
    const second = await post({ ...over, Name: 'mail' })
    const { UUID: id } = JSON.parse(first) as { UUID: string }
    expect([second.status, second.body]).toEqual([409, `duplicated resource\n${why.replace('<id>', id)}\n`])
  })
})
