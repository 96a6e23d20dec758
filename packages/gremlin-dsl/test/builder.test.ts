import { describe, expect, test } from '@jest/globals'
import type { GraphNode, MetadataObject, MetadataValue } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import fc from 'fast-check'
import {
  ask,
  between,
  g,
  gt,
  gte,
  inside,
  ipv4Range,
  ipv6Range,
  lt,
  lte,
  ne,
  nee,
  outside,
  type Query,
  type ResultOf,
  regex,
  within,
  without,
} from '../src/builder.ts'
import { checkGremlin, createGremlin, parseGremlin, printGremlin } from '../src/index.ts'

declare module '../src/builder/fields.ts' {
  interface NodeFields {
    Type: string
    Name: string
    MTU: number
    State: 'UP' | 'DOWN'
    IPV4: string[]
    Managed: boolean
  }
}

/** Compiles only when both types are the same. */
function same<A, B>(_are: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

describe('A96 the text of a typed query', () => {
  test.each<[Query<unknown>, string]>([
    [g, 'G'],
    [g.V('a "quoted" id'), 'G.V("a \\"quoted\\" id")'],
    [
      g
        .V()
        .has('Type', 'host')
        .out()
        .where({ MTU: gt(1500) }),
      'G.V().Has("Type", "host").Out().Has("MTU", GT(1500))',
    ],
    [
      g.V().where({ Type: 'veth', State: ne('UP'), Managed: true }),
      'G.V().Has("Type", "veth", "State", NE("UP"), "Managed", TRUE)',
    ],
    [g.V().whereAny({ Type: 'host', Name: regex('.*%d.*') }), 'G.V().HasEither("Type", "host", "Name", Regex(".*%d.*"))'],
    [
      g.V().has('IPV4', ipv4Range('10.0.0.0/8')).hasKey('TID').hasNot('Gone'),
      'G.V().Has("IPV4", IPV4Range("10.0.0.0/8")).HasKey("TID").HasNot("Gone")',
    ],
    [g.V().has('IPV6', ipv6Range('2001:db8::/32')).keys(), 'G.V().Has("IPV6", IPV6Range("2001:db8::/32")).Keys()'],
    [
      g.V().where({
        MTU: within(1500, 9000),
        Speed: outside(-1, 10),
        Rank: nee(2.5),
        A: lt(1),
        B: lte(2),
        C: gte(3),
        D: inside(1, 2),
        E: between(3, 4),
        F: without(),
      }),
      'G.V().Has("MTU", Within(1500, 9000), "Speed", Outside(-1, 10), "Rank", NEE(2.5), "A", LT(1), "B", LTE(2), "C", GTE(3), "D", Inside(1, 2), "E", Between(3, 4), "F", Without())',
    ],
    [g.V('x').descendants({ depth: 2 }).both({ Type: 'veth' }), 'G.V("x").Descendants(2).Both("Type", "veth")'],
    [
      g
        .V()
        .ascendants({ edges: { RelationType: 'layer2' }, depth: 0 })
        .neighbors(),
      'G.V().Ascendants("RelationType", "layer2", 0).Neighbors()',
    ],
    [
      g.V().outE({ RelationType: 'layer2' }).outV().dedup('Name').sort('MTU', 'DESC').range(1, 3),
      'G.V().OutE("RelationType", "layer2").OutV().Dedup("Name").Sort(DESC, "MTU").Range(1, 3)',
    ],
    [g.V().sort('Name').sort().sort(undefined, 'DESC').limit(0), 'G.V().Sort(ASC, "Name").Sort().Sort(DESC).Limit(0)'],
    [g.E('e').bothV().inE().inV({ Type: 'host' }).bothE().count(), 'G.E("e").BothV().InE().InV("Type", "host").BothE().Count()'],
    [
      g.V('a').as('x').g().V('b').as('y').select('x', 'y').sum('MTU'),
      'G.V("a").As("x").G.V("b").As("y").Select("x", "y").Sum("MTU")',
    ],
    [
      g.V('a').shortestPathTo({ Name: 'b' }, { RelationType: 'layer2' }).subGraph({ RelationType: 'layer2' }),
      'G.V("a").ShortestPathTo(Metadata("Name", "b"), Metadata("RelationType", "layer2")).SubGraph("RelationType", "layer2")',
    ],
    [g.at('-1h', 'FOREVER').V().valueMap('Name', 'MTU'), 'G.At("-1h", FOREVER).V().ValueMap("Name", "MTU")'],
    [g.at(new Date(1_636_000_000_000)).V(), 'G.At(1636000000000).V()'],
    [g.at(new Date(5000), 60).V(), 'G.At(5, 60).V()'],
    [
      g.at('NOW', '5m').flows({ Application: 'TCP' }).has('Transport', 80),
      'G.At(NOW, "5m").Flows("Application", "TCP").Has("Transport", 80)',
    ],
    [g.flows().dedup().sort('Metric.ABBytes', 'DESC').limit(10), 'G.Flows().Dedup().Sort(DESC, "Metric.ABBytes").Limit(10)'],
    [g.flows().group('NodeTID').moreThan(2), 'G.Flows().Group("NodeTID").MoreThan(2)'],
    [g.flows().rawPackets().bpf('icmp[icmptype] == 0'), 'G.Flows().RawPackets().BPF("icmp[icmptype] == 0")'],
    [
      g.flows().captureNode().metrics('SFlow').aggregates(10).sum(),
      'G.Flows().CaptureNode().Metrics("SFlow").Aggregates(10).Sum()',
    ],
    [
      g.flows().nodes({ Type: 'veth' }).sockets().where({ LocalPort: 80 }).values('Name'),
      'G.Flows().Nodes("Type", "veth").Sockets().Has("LocalPort", 80).Values("Name")',
    ],
    [g.V().nextHop('8.8.8.8'), 'G.V().NextHop("8.8.8.8")'],
    [g.workflow('check', 'a', 1, false).V(), 'G.Workflow("check", "a", 1, FALSE).V()'],
  ])('%s', (query, text) => {
    expect(String(query)).toBe(text)
    // The text is one of the language, and the canonical one where the language has but one.
    checkGremlin(text)
    expect(printGremlin(parseGremlin(text))).toBe(text)
  })

  test.each<[string, () => unknown]>([
    ['a number without end', () => g.V().has('MTU', Number.POSITIVE_INFINITY)],
    ['a number with an exponent', () => g.V().has('MTU', 1e300)],
    ['a text that ends in a backslash', () => g.V().has('Name', 'x\\')],
    ['a limit that is no index', () => g.V().limit(-1)],
    ['no condition', () => g.V().where({})],
    ['a date that is none', () => g.at(new Date(Number.NaN))],
  ])('refuses %s', (_what, build) => {
    expect(build).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })

  test('steps leave the query that they follow as it was', () => {
    const nodes = g.V()
    nodes.has('Type', 'host')
    expect(String(nodes)).toBe('G.V()')
  })

  test('any text but one that ends in a backslash comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.endsWith('\\')),
        (text) => {
          const [step] = parseGremlin(String(g.V().has('Name', text))).steps.filter(({ name }) => name === 'Has')
          expect(step!.params[1]).toMatchObject({ kind: 'string', value: text })
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('the type of a typed query', () => {
  test('follows the steps', () => {
    const count = g.V().has('Type', 'host').count()
    const mtus = g.V().values('MTU')
    const other = g.V().values('Anything')
    const map = g.V().valueMap('Name', 'MTU')
    same<ResultOf<typeof count>, number>(true)
    same<ResultOf<typeof mtus>, readonly number[]>(true)
    same<ResultOf<typeof other>, readonly MetadataValue[]>(true)
    same<ResultOf<typeof map>, readonly { readonly Name?: string; readonly MTU?: number }[]>(true)
    const some: string[] = ['x']
    const open = g.V().valueMap(...some)
    same<ResultOf<typeof open>, readonly MetadataObject[]>(true)
    const nodes = g.V().out()
    same<ResultOf<typeof nodes>, readonly GraphNode[]>(true)
  })

  test('knows the values of known keys', () => {
    // @ts-expect-error: a number is wanted.
    g.V().has('MTU', 'large')
    // @ts-expect-error: one of UP and DOWN is wanted.
    g.V().where({ State: 'SIDEWAYS' })
    // @ts-expect-error: a condition on numbers.
    g.V().has('Name', gt(1))
    // @ts-expect-error: a step that does not follow nodes.
    g.V().outV
    // @ts-expect-error: a step that does not follow a count.
    g.V().count().values
    g.V()
      .has('IPV4', '10.0.0.1/24')
      .has('Unknown', 1)
      .has('State', ne('UP'))
      .where({ Unknown: regex('x') })
  })

  test('is that of the answer', async () => {
    const graph = createGraph()
    graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
      tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'alpha' } })
      tx.addNode({ id: 'e', metadata: { Type: 'device', Name: 'eth0', MTU: 1500 } })
      tx.own('h', 'e')
    })
    const engine = createGremlin({ graph })
    const [eth0] = await ask(
      engine,
      g
        .V()
        .has('Type', 'host')
        .out()
        .where({ MTU: gte(1500) }),
    )
    expect(eth0?.metadata['Name']).toBe('eth0')
    expect(await ask(engine, g.V().values('Name'))).toEqual(['alpha', 'eth0'])
    expect(await ask(engine, g.V().count())).toBe(2)
    expect((await ask(engine, g.V().subGraph())).edges).toHaveLength(1)
    expect((await ask(engine, g.V('h').shortestPathTo({ Name: 'eth0' })))[0]).toHaveLength(2)
    expect(await ask(engine, g.V().sum('MTU'))).toBe(1500)
    expect(await ask(engine, g.E().values('RelationType'))).toEqual(['ownership'])
    expect(await ask(engine, g.V().metrics())).toEqual(new Map())
    expect(await ask(engine, g.V().nextHop('8.8.8.8'))).toEqual(new Map())
  })
})
