import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { CaptureTarget, Logger } from '@skydive/contracts'

type Peers = CaptureTarget['excludePeers']

/** Looks a host name up: all of its addresses. */
export type LookUp = (host: string) => Promise<readonly string[]>

/**
 * The peers by address: a filter knows no names, and a configuration may give them. A name that can't be looked up is left out with a
 * warning: a capture that shows some of our own traffic is better than none.
 */
export async function resolvePeers(peers: Peers, logger: Logger, lookUp: LookUp = lookUpAll): Promise<Peers> {
  const resolved = await Promise.all(
    peers.map(async (peer) => {
      const { address: host } = peer
      if (isIP(host) !== 0) return [peer]
      try {
        return (await lookUp(host)).map((address) => ({ ...peer, address }))
      } catch (error) {
        logger.warn({ host, reason: (error as Error).message }, 'own traffic of an unknown host is not left out of captures')
        return []
      }
    }),
  )
  return resolved.flat()
}

/** Asks the system's resolver. */
export async function lookUpAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}
