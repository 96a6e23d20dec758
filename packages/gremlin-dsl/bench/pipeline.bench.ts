import { type Figure, median } from '../../../bench/figures.ts'
import { compileGraphQuery } from '../src/index.ts'
import { filled } from './filled-graph.ts'
import { generatorPeer } from './generators.ts'

const ROUNDS = 41
const PIPELINE = "G.V().Has('Type',Within('host','bridge')).Out().Has('Type','veth').Has('MTU',Gt(1500)).Out().Dedup()"

/** The same steps as push closures and as chained generators, in turn. */
async function run(): Promise<Figure[]> {
  const graph = filled()
  const query = await compileGraphQuery(PIPELINE)
  const peer = generatorPeer(graph.view)
  const [wanted, got] = [query.runNodes(graph.view).length, peer.run()]
  if (wanted !== got) throw new Error(`the generators find ${got} nodes instead of ${wanted}`)
  const times: { own: number[]; peer: number[] } = { own: [], peer: [] }
  for (let round = 0; round < ROUNDS; round++) {
    times.own.push(elapsedMs(() => query.runNodes(graph.view)))
    times.peer.push(elapsedMs(() => peer.run()))
  }
  const [value, peerValue] = [median(times.own), median(times.peer)]
  const figure = {
    name: 'pipeline of 5 steps, 100,000 nodes',
    value,
    unit: 'ms',
    peer: 'chained generators',
    peerValue,
    ratio: peerValue / value,
  }
  return [figure]
}

function elapsedMs(run: () => unknown): number {
  const started = performance.now()
  run()
  return performance.now() - started
}

export const bench = { name: 'pipeline', run }
