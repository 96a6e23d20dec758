import { expect, test } from '@jest/globals'
import { type Logger, SILENT_LOGGER } from '@skydive/contracts'
import { resolvePeers } from './own-peers.ts'

test('names become all of their addresses, addresses stay, unknown names are left out with a warning', async () => {
  const warned: object[] = []
  const logger: Logger = { ...SILENT_LOGGER, warn: (fields) => void warned.push(fields) }
  const lookUp = async (host: string) => {
    if (host === 'localhost') return ['127.0.0.1', '::1']
    throw new Error('not found')
  }
  const peers = ['localhost', '10.0.0.9', 'fd00::9', 'nosuch'].map((address) => ({ address, port: 8082 }))
  expect((await resolvePeers(peers, logger, lookUp)).map(({ address }) => address)).toEqual([
    '127.0.0.1',
    '::1',
    '10.0.0.9',
    'fd00::9',
  ])
  expect(warned).toEqual([{ host: 'nosuch', reason: 'not found' }])
})
