import type { GraphEdge, GraphNode } from '@skydive/contracts'
import type { StoredElement } from './messages.ts'
import type { ElementKey, RevisionInFile, TopologyReader } from './topology-reader.ts'

/** A life in one file. */
interface Segment {
  readonly reader: TopologyReader
  readonly element: number
}

/** One life of one id over all files that know of it: from its beginning, or that of the first file, to its end. */
export interface Life {
  readonly stored: StoredElement
  readonly deletedAtMs: number | null
  /** Oldest file first. A file repeats what it inherited, so what it has of a chain is the end of it. */
  readonly segments: readonly Segment[]
}

/** A revision of a life, and where it lies. */
export interface FoundRevision extends RevisionInFile {
  readonly segment: Segment
}

/**
 * The lives of an id in files that follow each other, oldest first. A life that had not ended when a file began is the one that this file has
 * inherited; the inherited ones stand before all others, in the same order.
 */
export function livesOf(readers: readonly TopologyReader[], key: ElementKey): Life[] {
  const lives: Life[] = []
  for (const reader of readers) extendLives(lives, reader, key)
  return lives
}

/** Adds to the lives of an id in older files what the next file has. */
export function extendLives(lives: Life[], reader: TopologyReader, key: ElementKey): void {
  const continuing = lives.flatMap(({ deletedAtMs }, i) => (deletedAtMs === null || deletedAtMs >= reader.startMs ? [i] : []))
  for (const [i, { element, stored, deletedAtMs }] of reader.lives(key).entries()) {
    const segment = { reader, element }
    const known = continuing[i]
    if (known === undefined) lives.push({ stored, deletedAtMs, segments: [segment] })
    else lives[known] = { stored, deletedAtMs, segments: [...lives[known]!.segments, segment] }
  }
}

/** The revision of a life that held at an instant: of those not younger the one that was made last, while the life lasted. */
export function revisionAt(life: Life, timeMs: number): FoundRevision | undefined {
  if (life.stored.createdAtMs > timeMs || (life.deletedAtMs !== null && life.deletedAtMs < timeMs)) return undefined
  for (const segment of life.segments.toReversed()) {
    const found = segment.reader.newestUpTo(segment.element, timeMs)
    if (found) return { ...found, segment }
  }
  return undefined
}

/** What held at an instant of an id: of the lives that reach to it, the youngest. */
export function youngestAt(lives: readonly Life[], timeMs: number): { life: Life; revision: FoundRevision } | undefined {
  for (const life of lives.toReversed()) {
    const revision = revisionAt(life, timeMs)
    if (revision) return { life, revision }
  }
  return undefined
}

/** Every revision of a life, oldest first, none twice. */
export function chainOf(life: Life): FoundRevision[] {
  const byNumber = new Map<number, FoundRevision>()
  for (const segment of life.segments) {
    for (const found of segment.reader.chain(segment.element)) byNumber.set(found.revision, { ...found, segment })
  }
  return [...byNumber.values()]
}

/** A revision as an element, as it was known at `asOfMs`: the end of the life is told by its last revision, when it had come by then. */
export function elementOf(life: Life, found: FoundRevision, asOfMs: number): GraphNode | GraphEdge {
  const { id, kind, parent, child, host, origin, createdAtMs } = life.stored
  const { segment, row, base, revision, updatedAtMs } = found
  const ended = life.deletedAtMs !== null && life.deletedAtMs <= asOfMs && isLast(life, revision)
  const element = {
    id,
    host,
    origin,
    createdAtMs,
    updatedAtMs,
    deletedAtMs: ended ? life.deletedAtMs : null,
    revision,
    metadata: segment.reader.metadataOf(segment.element, base, row),
  }
  return kind === 'node' ? { kind, ...element } : { kind, ...element, parent, child }
}

/** The last revision of a life. */
export function lastOf(life: Life): FoundRevision | undefined {
  const segment = life.segments.at(-1)!
  const found = segment.reader.newestUpTo(segment.element, Number.MAX_SAFE_INTEGER)
  return found && { ...found, segment }
}

function isLast(life: Life, revision: number): boolean {
  return lastOf(life)?.revision === revision
}
