import type { ElementChange, GraphDiff, GraphEdge, GraphNode, SliceCoverage, TimeSlice } from '@skydive/contracts'
import { assembleDiff, checkWindow, type DiffParts, elementChange, IgnoredKeys } from '@skydive/graph'
import { chainOf, elementOf, extendLives, type Life, lastOf, livesOf, revisionAt, youngestAt } from './lives.ts'
import type { StoredRevision } from './messages.ts'
import type { ElementKey, TopologyReader } from './topology-reader.ts'

/** The files of the topology, opened as they are asked for. */
export interface TopologyFiles {
  /** When each file begins, oldest first. */
  readonly starts: readonly number[]
  at(startMs: number): TopologyReader
}

type Element = GraphNode | GraphEdge

const keyText = ({ kind, id }: ElementKey): string => `${kind}/${id}`

/**
 * Looks back over all files by the times of the elements, as the graph in memory does. A file has everything that was so while it was written; what
 * came late, after it was closed, stands in a later one, which knows of which elements it says something late.
 */
export class TopologyPast {
  readonly #files: TopologyFiles

  constructor(files: TopologyFiles) {
    this.#files = files
  }

  /** The elements of an instant, one revision an id, by time of update. */
  at(timeMs: number): StoredRevision[] {
    const base = this.#fileOf(timeMs)
    if (base < 0) return []
    const found = new Map<string, StoredRevision>()
    // Lives come in the order in which they began: the youngest that reaches here stands.
    for (const revision of this.#file(base).read({ startMs: timeMs, lastMs: timeMs })) found.set(keyText(revision), revision)
    for (const [text, { key, last }] of this.#lateKeys(base, Number.MIN_SAFE_INTEGER, timeMs)) {
      found.delete(text)
      const held = youngestAt(livesOf(this.#range(base, last), key), timeMs)
      if (!held) continue
      const { metadata, updatedAtMs, deletedAtMs, revision } = elementOf(held.life, held.revision, timeMs)
      found.set(text, { ...held.life.stored, updatedAtMs, deletedAtMs, revision, metadata: JSON.stringify(metadata) })
    }
    return [...found.values()].sort((a, b) => a.updatedAtMs - b.updatedAtMs)
  }

  /**
   * What differs between two times; see `GraphSource.diff`. Reads of each file what lies in the window, and of each id named there the revisions at
   * the two ends.
   */
  diff(fromMs: number, toMs: number, ignoreKeys: readonly string[]): GraphDiff {
    checkWindow(fromMs, toMs)
    const knownFromMs = this.#files.starts[0] ?? Number.POSITIVE_INFINITY
    const coverage: SliceCoverage = fromMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs }
    const parts: DiffParts = { nodes: [], edges: [], transient: [] }
    const window = { startMs: Math.max(fromMs, knownFromMs), lastMs: toMs }
    if (window.startMs <= toMs) this.#collect(window, new IgnoredKeys(ignoreKeys), parts)
    return assembleDiff(fromMs, toMs, parts, coverage)
  }

  #collect(window: TimeSlice, ignored: IgnoredKeys, parts: DiffParts): void {
    const { startMs, lastMs } = window
    const base = this.#fileOf(startMs)
    const end = this.#fileOf(lastMs)
    const keys = new Map<string, ElementKey>()
    for (const [text, { key }] of this.#lateKeys(end, startMs, lastMs)) keys.set(text, key)
    const numbers = new Map<TopologyReader, Map<number, number[]>>()
    for (const reader of this.#range(base, end)) {
      for (const key of reader.touchedWithin(startMs, lastMs)) keys.set(keyText(key), key)
      numbers.set(reader, reader.numbersWithin(startMs, lastMs))
    }
    // Also a file that says nothing late of the window: what it says of the time before may have lasted into it.
    const last = [...keys.values()].map(this.#laterFiles(end))
    const lives = this.#livesOfAll(base, [...keys.values()], last)
    for (const [i, key] of [...keys.values()].entries()) {
      this.#tell(key, lives[i]!, window, ignored, parts, (life) => numbersOf(life, window, numbers))
    }
  }

  /** The lives of many ids from file `base` on, each up to its last file. File after file, so that each is opened once however many there are. */
  #livesOfAll(base: number, keys: readonly ElementKey[], last: readonly number[]): Life[][] {
    const lives: Life[][] = keys.map(() => [])
    const end = last.reduce((max, index) => Math.max(max, index), base)
    for (const [i, reader] of this.#range(base, end).entries()) {
      for (const [k, key] of keys.entries()) if (base + i <= last[k]!) extendLives(lives[k]!, reader, key)
    }
    return lives
  }

  #tell(
    { id }: ElementKey,
    lives: readonly Life[],
    { startMs, lastMs }: TimeSlice,
    ignored: IgnoredKeys,
    parts: DiffParts,
    numbers: (life: Life) => readonly number[],
  ): void {
    const from = youngestAt(lives, startMs)
    const to = youngestAt(lives, lastMs)
    if (!from && !to) {
      const came = lives.findLast(({ deletedAtMs }) => deletedAtMs !== null && deletedAtMs >= startMs && deletedAtMs < lastMs)
      const last = came && lastOf(came)
      if (last) parts.transient.push(elementOf(came, last, lastMs))
      return
    }
    const last = from && !to ? lastOf(from.life) : undefined
    const change = elementChange<Element>(
      {
        id,
        from: from && elementOf(from.life, from.revision, lastMs),
        to: to && elementOf(to.life, to.revision, lastMs),
        last: from && last && elementOf(from.life, last, lastMs),
        revisions: lives.flatMap(numbers),
      },
      ignored,
    )
    if (!change) return
    if (lives[0]!.stored.kind === 'node') parts.nodes.push(change as ElementChange<GraphNode>)
    else parts.edges.push(change as ElementChange<GraphEdge>)
  }

  /** The revisions of an id, nodes before edges; see `GraphSource.history`. */
  history(id: string, slice: TimeSlice | undefined): Element[] {
    const base = slice ? Math.max(0, this.#fileOf(slice.startMs)) : 0
    const end = slice ? this.#fileOf(slice.lastMs) : this.#files.starts.length - 1
    return (['node', 'edge'] as const).flatMap((kind) => {
      const key = { kind, id }
      const lives = livesOf(this.#range(base, this.#laterFiles(end)(key)), key)
      return lives.flatMap((life) => revisionsOf(life, slice))
    })
  }

  /** The index of the file that was written at an instant; -1 before the first. */
  #fileOf(timeMs: number): number {
    return this.#files.starts.findLastIndex((startMs) => startMs <= timeMs)
  }

  #file(index: number): TopologyReader {
    return this.#files.at(this.#files.starts[index]!)
  }

  #range(first: number, last: number): TopologyReader[] {
    return this.#files.starts.slice(Math.max(0, first), last + 1).map((startMs) => this.#files.at(startMs))
  }

  /** The ids of which files after `index` say something that was so within a time, with the last of these files. */
  #lateKeys(index: number, fromMs: number, toMs: number): Map<string, { readonly key: ElementKey; readonly last: number }> {
    const found = new Map<string, { key: ElementKey; last: number }>()
    for (let i = index + 1; i < this.#files.starts.length; i++) {
      for (const key of this.#file(i).lateWithin(fromMs, toMs)) found.set(keyText(key), { key, last: i })
    }
    return found
  }

  /** Up to which file an id has to be read when what was so in file `index` is asked: the last that says something late of it. */
  #laterFiles(index: number): (key: ElementKey) => number {
    const later = this.#range(index + 1, this.#files.starts.length - 1).filter(({ hasLate }) => hasLate)
    return (key) => {
      const last = later.findLast((file) => file.isLate(key))
      return last === undefined ? index : this.#files.starts.indexOf(last.startMs)
    }
  }
}

/** Numbers of the revisions that a life had within the window. */
function numbersOf(
  life: Life,
  slice: TimeSlice,
  known: ReadonlyMap<TopologyReader, ReadonlyMap<number, readonly number[]>>,
): readonly number[] {
  const numbers = new Set<number>()
  const endsWithin = life.deletedAtMs !== null && life.deletedAtMs < slice.lastMs
  for (const { reader, element } of life.segments) {
    const inFile = endsWithin ? undefined : known.get(reader)
    const found = inFile
      ? (inFile.get(element) ?? [])
      : reader
          .chain(element)
          .filter((revision) => isMadeWithin(life, revision, slice))
          .map(({ revision }) => revision)
    for (const number of found) numbers.add(number)
  }
  return [...numbers]
}

/** What was announced for a time after the end of its life never held. */
function isMadeWithin(
  { deletedAtMs }: Life,
  { updatedAtMs }: { readonly updatedAtMs: number },
  { startMs, lastMs }: TimeSlice,
): boolean {
  return updatedAtMs > startMs && updatedAtMs <= lastMs && (deletedAtMs === null || updatedAtMs <= deletedAtMs)
}

function revisionsOf(life: Life, slice: TimeSlice | undefined): Element[] {
  const { createdAtMs } = life.stored
  const asOfMs = slice?.lastMs ?? Number.MAX_SAFE_INTEGER
  if (!slice) return chainOf(life).map((found) => elementOf(life, found, asOfMs))
  const { startMs, lastMs } = slice
  if (createdAtMs > lastMs || (life.deletedAtMs !== null && life.deletedAtMs < startMs)) return []
  const atStart = revisionAt(life, startMs)?.revision
  return chainOf(life)
    .filter((found) => found.revision === atStart || isMadeWithin(life, found, slice))
    .map((found) => elementOf(life, found, asOfMs))
}
