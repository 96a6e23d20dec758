import type { StepName } from './vocabulary.ts'

/** What is written behind the names of steps; without those that take conditions, which are all alike. */
const ARGUMENTS: Readonly<Partial<Record<StepName, string>>> = {
  G: '',
  Context: "(time [, duration]), such as Context('-1m') or Context(NOW, 3600)",
  At: "(time [, duration]), such as At('-1m') or At(NOW, 3600)",
  V: '() or V(id)',
  E: '() or E(id)',
  Has: '(key) or Has(key, value, …)',
  HasKey: '(key)',
  HasNot: '(key)',
  HasEither: '(key, value, …)',
  Dedup: '() or Dedup(key, …)',
  ShortestPathTo: '(Metadata(key, value, …) [, Metadata(key, value, …)])',
  Count: '()',
  Range: '(from, to)',
  Limit: '(number)',
  Sort: '([ASC or DESC,] [key])',
  Values: '(key)',
  ValueMap: '(key, …)',
  Keys: '()',
  Sum: '(key); Sum() of metrics',
  As: '(name)',
  Select: '(name, …)',
  Group: '() or Group(key)',
  MoreThan: '() or MoreThan(number)',
  Metrics: "(), Metrics('SFlow') or Metrics('Ovs') of nodes; Metrics() of flows",
  Aggregates: '() or Aggregates(seconds)',
  RawPackets: '()',
  BPF: '(expression)',
  Sockets: '()',
  NextHop: "(address), such as NextHop('8.8.8.8')",
  Descendants: '([key, value, …] [, depth])',
  Ascendants: '([key, value, …] [, depth])',
  Neighbors: '([key, value, …] [, depth])',
  Workflow: '(id or name, argument, …)',
}

/** How a step is written, as errors tell it. `value` is a string, a number, TRUE, FALSE or a predicate. */
export function usageOf(step: StepName): string {
  return `${step}${ARGUMENTS[step] ?? `() or ${step}(key, value, …)`}`
}
