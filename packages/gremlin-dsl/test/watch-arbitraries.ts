import type { GraphTransaction, MetadataValue } from '@skydive/contracts'
import fc from 'fast-check'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f']

const value = fc.constantFrom<MetadataValue>('x', 'y', 1, 2, '2', true, ['x', 2])
const speed = fc.constantFrom<MetadataValue>(10, '25', 1.5)
const metadata = fc
  .tuple(fc.dictionary(fc.constantFrom('Type', 'Name', 'MTU'), value, { maxKeys: 3 }), fc.option(speed))
  .map(([other, Speed]) => (Speed === null ? other : { ...other, Speed }))
const id = fc.constantFrom(...IDS)
const relation = fc.constantFrom('ownership', 'layer2')

/** One write of a transaction. */
export type Change = (tx: GraphTransaction) => void

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(id, metadata).map(
      ([node, data]): Change =>
        (tx) =>
          void tx.putNode({ id: node, metadata: data }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(id, fc.constantFrom('Type', 'Name', 'MTU', 'Other'), fc.option(value)).map(
      ([node, key, to]): Change =>
        (tx) => {
          if (tx.node(node)) tx.patchNode(node, { [key]: to ?? undefined })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(id, speed).map(
      ([node, Speed]): Change =>
        (tx) => {
          if (tx.node(node)) tx.patchNode(node, { Speed })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: id.map(
      (node): Change =>
        (tx) =>
          void tx.deleteNode(node),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(id, id, relation, fc.integer({ min: 0, max: 1 })).map(
      ([parent, child, type, copy]): Change =>
        (tx) => {
          if (!tx.node(parent) || !tx.node(child)) return
          // Ids of edges are used again, with other ends.
          const edge = `${[parent, child].sort()[0]}-${copy}`
          tx.deleteEdge(edge)
          tx.addEdge({ id: edge, parent, child, metadata: { RelationType: type } })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(id, relation).map(
      ([edge, type]): Change =>
        (tx) => {
          if (tx.edge(`${edge}-0`)) tx.patchEdge(`${edge}-0`, { RelationType: type })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: id.map(
      (edge): Change =>
        (tx) =>
          void tx.deleteEdge(`${edge}-0`),
    ),
  },
)

const written = fc.constantFrom("'x'", "'y'", "'2'", '1', '2', 'TRUE')
const condition = fc.oneof(
  written,
  written.map((arg) => `NE(${arg})`),
  fc.constantFrom('GT(1)', "Within('x',2)", 'Without(1)', "Regex('x|y')"),
)
const nodeFilter = fc.oneof(
  fc
    .array(fc.tuple(fc.constantFrom('Type', 'Name', 'MTU', '@ID', '@Revision'), condition), { minLength: 1, maxLength: 2 })
    .map((pairs) => `Has(${pairs.map(([key, to]) => `'${key}',${to}`).join()})`),
  fc.tuple(condition, condition).map(([one, other]) => `HasEither('Type',${one},'Name',${other})`),
  fc.constantFrom("HasKey('MTU')", "HasNot('Name')", "Has('@ID','a')", "Has('@ID',Within('b','c'))"),
)
const edgeFilter = fc.constantFrom(
  "Has('RelationType','layer2')",
  "Has('Parent','a')",
  "HasNot('Nope')",
  "HasKey('RelationType')",
  "Has('Child',NE('b'))",
  "HasEither('RelationType','ownership','Parent','b')",
)
const hop = fc.constantFrom(
  'Out()',
  'In()',
  'Both()',
  "Out('Type','x')",
  'Descendants(2)',
  "Ascendants('RelationType','layer2',1)",
  'Neighbors(2)',
  'OutE().OutV()',
  "BothE('RelationType','layer2').BothV()",
  'InE().InV()',
)
const nodeEnd = fc.constantFrom(
  '',
  '',
  '.Dedup()',
  '.Count()',
  ".Sum('Speed')",
  ".Values('Name')",
  ".ValueMap('Name','MTU')",
  ".Group('Name')",
  '.Group()',
  '.SubGraph()',
  ".SubGraph('RelationType','ownership')",
  ".Sort('MTU').Limit(2)",
  ".Sort(DESC,'Name').Range(1,3)",
  '.Sort().Limit(3)',
)
const edgeEnd = fc.constantFrom(
  '',
  '.Group()',
  '.Count()',
  '.Dedup()',
  '.SubGraph()',
  ".SubGraph('Child','b')",
  '.BothV().Dedup().Count()',
  ".Values('RelationType')",
  ".ValueMap('RelationType','Parent')",
  ".Sum('@Revision')",
  ".Group('RelationType')",
  ".Sort('RelationType').Limit(2)",
  ".Sort(DESC,'@ID').Range(1,3)",
)

const rows = (filter: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(filter, { maxLength }).map((steps) => steps.map((step) => `.${step}`).join(''))

const nodeQuery = fc
  .tuple(rows(nodeFilter, 2), rows(fc.oneof(hop, nodeFilter, fc.constant('Dedup()')), 3), nodeEnd)
  .map((parts) => `G.V()${parts.join('')}`)
const edgeQuery = fc
  .tuple(rows(edgeFilter, 2), fc.constantFrom('', '.OutV()', ".BothV('Type','x')", '.InV().OutE()'), edgeEnd)
  .map(([filters, steps, end]) =>
    steps === '' || steps.endsWith('OutE()') ? `G.E()${filters}${steps}${end}` : `G.E()${filters}${steps}.Dedup()`,
  )
/** Queries that are kept up to date by what changes. */
export const supported = fc.oneof(
  { weight: 40, arbitrary: nodeQuery },
  { weight: 10, arbitrary: edgeQuery },
  { weight: 1, arbitrary: fc.constant('G') },
)

/** Queries that are run again. */
export const others = fc.constantFrom(
  'G.V().Limit(2)',
  "G.V().Dedup('Type').Count()",
  "G.V().Has('Type','x').ShortestPathTo(Metadata('Name','y'))",
  'G.V().Keys()',
  "G.V().Has('Type','x').As('p').Out().As('q').Select('p','q')",
  "G.V().Sort('MTU')",
  'G.V().Descendants(0)',
  'G.V().SubGraph().E()',
  'G.V().Limit(3).SubGraph()',
  "G.V().Dedup('Type').Values('Name')",
)

/** Nodes, and edges between them, so that what comes later finds something to change. */
const beginning = fc
  .tuple(
    fc.uniqueArray(fc.tuple(id, metadata), { selector: ([node]) => node, maxLength: IDS.length }),
    fc.array(change, { maxLength: 12 }),
  )
  .map(([nodes, changes]): readonly Change[] => [
    (tx) => {
      for (const [node, data] of nodes) tx.putNode({ id: node, metadata: data })
    },
    ...changes,
  ])

/** Transactions, the first of which comes before anybody watches. */
export const history = fc
  .tuple(beginning, fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }))
  .map(([first, later]) => [first, ...later])
