/** A revision as the table of time tells it: id, revision number, and when it was deleted, if it tells that. */
export type ShownRevision = readonly [id: string, revision: number, deletedAtMs?: number]

/**
 * Timeline H of spec graph 0.3 and 1.9, with half-open validity: a revision holds until just before the next one, and what is deleted still
 * belongs to the instant of its deletion. Node n1: made at 100 s, changed at 200 s, deleted at 300 s; n2 takes its place at 300 s.
 */
export const TIME_CASES: readonly (readonly [query: string, revisions: readonly ShownRevision[]])[] = [
  ['G.At(99).V()', []],
  ['G.At(100).V()', [['n1', 1]]],
  ['G.At(150).V()', [['n1', 1]]],
  ['G.At(200).V()', [['n1', 2]]],
  ['G.At(250).V()', [['n1', 2]]],
  ["G.At(300).V().Has('@ID','n1')", [['n1', 2, 300_000]]],
  ["G.At(301).V().Has('@ID','n1')", []],
  ['G.At(301).V()', [['n2', 1]]],
  // A98
  [
    'G.At(250, 100).V()',
    [
      ['n1', 1],
      ['n1', 2],
    ],
  ],
  ['G.At(250, 100).V().Dedup()', [['n1', 1]]],
  ['G.At(400, 50).V()', [['n2', 1]]],
  [
    "G.At(400, FOREVER).V().Has('@ID','n1')",
    [
      ['n1', 1],
      ['n1', 2, 300_000],
    ],
  ],
  ["G.At(250).V().Has('State','DOWN')", []],
  ["G.At(250).V().Has('State','UP')", [['n1', 2]]],
  ["G.At(250, 100).V().Has('State','DOWN')", [['n1', 1]]],
  ["G.At('-1m').V()", [['n2', 1]]],
  ["G.At('-1h').At(150).V()", [['n1', 1]]],
  ['G.At(150).E()', [['e', 1]]],
  ["G.At(150).V('n1').BothE()", [['e', 1]]],
  ['G.At(301).E()', []],
]
