import { expect, test } from '@jest/globals'
import { resolveTarget } from './target-address.ts'

const lookUp = async (host: string) => {
  if (host === 'collector.example') return ['192.0.2.1', '2001:db8::1']
  if (host === 'empty.example') return []
  throw new Error('getaddrinfo ENOTFOUND')
}

test('packets go to the first address of a name, and those to any are left out', async () => {
  expect(await resolveTarget({ type: 'ipfix', host: 'collector.example', port: 4739 }, lookUp)).toEqual({
    sendTo: { type: 'ipfix', address: '192.0.2.1', port: 4739 },
    excludePeers: [
      { address: '192.0.2.1', port: 4739 },
      { address: '2001:db8::1', port: 4739 },
    ],
  })
})

test('of a mirror everything is left out that it sends, which has no ports', async () => {
  expect(await resolveTarget({ type: 'erspanv1', host: '192.0.2.1', port: 9 }, lookUp)).toEqual({
    sendTo: { type: 'erspanv1', address: '192.0.2.1', port: 9 },
    excludePeers: [{ address: '192.0.2.1', port: 0, protocol: 47 }],
  })
})

test.each([
  ['empty.example', "capture: target empty.example can't be looked up: it has no address; give an address or mend the name"],
  ['nosuch', "capture: target nosuch can't be looked up: getaddrinfo ENOTFOUND; give an address or mend the name"],
])('%s is not reachable now', async (host, message) => {
  await expect(resolveTarget({ type: 'netflowv5', host, port: 1 }, lookUp)).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message,
    fields: { host, retryable: true },
  })
})
