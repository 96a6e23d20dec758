import type { Metadata } from '@skydive/contracts'

/** Nodes with lists of every type, and with a rank that two of them share, the older of which has the greater id. */
export const LIST_NODES: readonly (readonly [id: string, createdAtMs: number, metadata: Metadata])[] = [
  [
    'z',
    1000,
    { Rank: 1, Flags: [true, false], Numbers: [5, -6, 7.5], Texts: ['a', 'b'], Deep: { Inner: { Leaf: 'x' }, Up: true } },
  ],
  ['a', 2000, { Rank: 1, Flags: [false], Numbers: [8], Deep: { Inner: { Leaf: 'y' }, Up: false } }],
  ['b', 3000, { Rank: 0, Texts: ['a'] }],
]

/** Items of the acceptance list and of the weaknesses on these nodes: a query and the ids of its answer. */
export const LIST_CASES: readonly (readonly [item: string, query: string, ids: readonly string[]])[] = [
  ['A100', "G.V().Has('Flags',TRUE)", ['z']],
  ['A100', "G.V().Has('Flags',FALSE)", ['z', 'a']],
  ['A100', "G.V().Has('Numbers',-6)", ['z']],
  ['A100', "G.V().Has('Numbers',7.5)", ['z']],
  // Numbers are compared as integers.
  ['A100', "G.V().Has('Numbers',Gt(6))", ['z', 'a']],
  ['A100', "G.V().Has('Numbers',Gt(7))", ['a']],
  ['A100', "G.V().Has('Texts','b')", ['z']],
  ['A100', "G.V().Has('Texts',Regex('a|c'))", ['z', 'b']],
  ['A100', "G.V().Has('Deep.Inner.Leaf','x')", ['z']],
  ['A100', "G.V().Has('Deep.Up',FALSE)", ['a']],
  ['W11', "G.V().Sort('Rank')", ['b', 'z', 'a']],
  ['W11', "G.V().Sort(DESC,'Rank')", ['z', 'a', 'b']],
  ['W21', "G.V().Has('Rank',Outside(0,1))", []],
  ['W21', "G.V().Has('Rank',Outside(1,2))", ['b']],
  ['W21', "G.V().Has('Rank',Outside(-1,0))", ['z', 'a']],
]
