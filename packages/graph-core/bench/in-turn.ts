import { type Figure, median } from '../../../bench/figures.ts'

const ROUNDS = 7

/** Elapsed ms of two runs that take turns, so that what else the machine does meets both: the medians. `prepare` isn't counted. */
export async function inTurn<T, U>(
  own: { readonly prepare: () => T; readonly run: (prepared: T) => unknown },
  peer: { readonly prepare: () => U; readonly run: (prepared: U) => unknown },
  rounds = ROUNDS,
): Promise<{ readonly ownMs: number; readonly peerMs: number }> {
  const times: { own: number[]; peer: number[] } = { own: [], peer: [] }
  for (let round = 0; round < rounds; round++) {
    times.own.push(await elapsedMs(own.prepare, own.run))
    times.peer.push(await elapsedMs(peer.prepare, peer.run))
  }
  return { ownMs: median(times.own), peerMs: median(times.peer) }
}

async function elapsedMs<T>(prepare: () => T, run: (prepared: T) => unknown): Promise<number> {
  // A turn of the loop, so that what was made before can be collected: a reference that may go is held until then.
  await new Promise((done) => setImmediate(done))
  const prepared = prepare()
  const started = performance.now()
  run(prepared)
  return performance.now() - started
}

/** A figure where less is better, from ms of as much work on both sides. */
export function timeFigure(name: string, peer: string, { ownMs, peerMs }: { ownMs: number; peerMs: number }): Figure {
  return { name, value: ownMs, unit: 'ms', peer, peerValue: peerMs, ratio: peerMs / ownMs }
}

/** A figure in millions a second, from the ms that each side took for `count`. */
export function rateFigure(
  name: string,
  peer: string,
  count: number,
  { ownMs, peerMs }: { ownMs: number; peerMs: number },
): Figure {
  const rate = (ms: number): number => count / ms / 1000
  return { name, value: rate(ownMs), unit: 'M/s', peer, peerValue: rate(peerMs), ratio: peerMs / ownMs }
}

/** A deterministic generator: the figures of two runs are about the same graph. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}
