import { type Figure, median } from '../../../bench/figures.ts'
import { parseGremlin } from '../src/index.ts'
import { createPlanCache } from '../src/plan-cache.ts'
import { createPeerParser } from './chevrotain-parser.ts'

/** Many short turns: what else the machine does then meets both. */
const ROUNDS = 51
const PARSES = 3_000
const LOOK_UPS = 100_000
const QUERIES = [
  "G.V().Has('Type', Within('host','bridge'), 'Name', Regex('node-1.*')).Out('Type','veth').Has('MTU', Gt(1500)).OutE('RelationType','layer2').OutV().Dedup('Name').Sort(DESC,'MTU').Limit(10).Values('Name')",
  "G.V().Has('Name','eth0')",
  "G.V().Has('Type','host').Out().Count()",
  'G.Flows().Limit(10)',
]

/** Million runs a second of two functions that take turns. */
function inTurn(count: number, own: (i: number) => unknown, peer: (i: number) => unknown): { own: number; peer: number } {
  const rates: { own: number[]; peer: number[] } = { own: [], peer: [] }
  for (let round = 0; round < ROUNDS; round++) {
    rates.own.push(rate(count, own))
    rates.peer.push(rate(count, peer))
  }
  return { own: median(rates.own), peer: median(rates.peer) }
}

function rate(count: number, run: (i: number) => unknown): number {
  const started = performance.now()
  for (let i = 0; i < count; i++) run(i)
  return count / (performance.now() - started) / 1000
}

/** The names that both have to find, so that the peer is known to read the same grammar. */
function stepNames(steps: readonly { readonly name: string; readonly params: readonly unknown[] }[]): string {
  return steps.map(({ name, params }) => `${name}/${params.length}`).join()
}

async function run(): Promise<Figure[]> {
  const peer = createPeerParser()
  for (const text of QUERIES) {
    const [own, other] = [stepNames(parseGremlin(text).steps), stepNames(peer(text).steps)]
    if (own !== other) throw new Error(`${text}: ${own} here, ${other} there`)
  }
  const parses = [
    { name: `parse ${QUERIES[0]!.length} characters`, texts: [QUERIES[0]!] },
    { name: 'parse four queries, long and short', texts: QUERIES },
  ].map(({ name, texts }): Figure => {
    const rates = inTurn(
      PARSES,
      (i) => parseGremlin(texts[i % texts.length]!),
      (i) => peer(texts[i % texts.length]!),
    )
    return {
      name,
      value: rates.own,
      unit: 'M/s',
      peer: 'chevrotain 11.2.0',
      peerValue: rates.peer,
      ratio: rates.own / rates.peer,
    }
  })
  return [...parses, cachedPlans()]
}

/** The texts of a busy page, all of them known. */
function cachedPlans(): Figure {
  const plans = createPlanCache<object>(256)
  const texts = Array.from({ length: 100 }, (_, i) => `G.V().Has('Name','node-${i}').Out().Limit(${i})`)
  for (const text of [...texts, ...texts]) plans.set(text, {})
  let missed = 0
  const rates = Array.from({ length: ROUNDS }, () =>
    rate(LOOK_UPS, (i) => {
      if (plans.get(texts[i % texts.length]!) === undefined) missed++
    }),
  )
  if (missed > 0) throw new Error(`${missed} plans were not found`)
  return { name: 'cached plan by its text', value: median(rates), unit: 'M/s' }
}

export const bench = { name: 'gremlin parse', run }
