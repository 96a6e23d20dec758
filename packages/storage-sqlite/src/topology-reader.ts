import type { Metadata, TimeSlice } from '@skydive/contracts'
import type { DatabaseFile } from './database-file.ts'
import type { StoredElement, StoredRevision } from './messages.ts'
import { MetadataChains } from './metadata-chains.ts'
import type { SqlRow } from './sqlite.ts'

/** A revision that a file inherits from the one before. Those of one `element` belong to one life. */
export interface Heir {
  readonly element: number
  readonly stored: StoredElement
  readonly deletedAtMs: number | null
  readonly revision: number
  readonly updatedAtMs: number
  readonly archivedAtMs: number
  readonly metadata: Metadata
}

/** One life of one id in one file. */
export interface LifeInFile {
  readonly element: number
  readonly stored: StoredElement
  readonly deletedAtMs: number | null
}

/** Where a revision lies in its file. */
export interface RevisionInFile {
  readonly row: number
  readonly base: number
  readonly revision: number
  readonly updatedAtMs: number
}

/** An id of nodes or of edges. */
export interface ElementKey {
  readonly kind: 'node' | 'edge'
  readonly id: string
}

const asNumber = (value: unknown): number => Number(value)
const REVISION = 'r.row, r.element, r.revision, r.updated, r.archived, r.base'
const ELEMENT = 'e.element, e.kind, e.id, e.parent, e.child, h.text AS host, o.text AS origin, e.created, e.deleted'
const WORDS = 'JOIN word h ON h.word = e.host JOIN word o ON o.word = e.origin'

const IN_SLICE = `
  SELECT ${REVISION}, r.body, ${ELEMENT}
  FROM revision r JOIN element e ON e.element = r.element ${WORDS}
  WHERE (r.archived > ?1 OR (r.archived = ?1 AND e.deleted = r.archived)) AND r.updated <= ?2 AND e.created <= ?2
    AND (e.deleted IS NULL OR e.deleted >= ?1) ORDER BY r.element, r.row`
const HEIRS = `
  SELECT ${REVISION}, ${ELEMENT}
  FROM revision r JOIN element e ON e.element = r.element ${WORDS}
  WHERE (r.archived >= ?1 OR r.updated > ?1) AND (e.deleted IS NULL OR e.deleted >= ?1) AND (r.updated > ?1
    OR NOT EXISTS (SELECT 1 FROM revision later WHERE later.element = r.element AND later.row > r.row AND later.updated <= ?1))
  ORDER BY r.element, r.row`
const LIVES = `SELECT ${ELEMENT} FROM element e ${WORDS} WHERE e.id = ? AND e.kind = ? ORDER BY e.element`
const NEWEST_UP_TO =
  'SELECT row, base, revision, updated FROM revision WHERE element = ? AND updated <= ? ORDER BY row DESC LIMIT 1'
const CHAIN = 'SELECT row, base, revision, updated FROM revision WHERE element = ? ORDER BY row'
const UPDATED_WITHIN = 'SELECT element, revision FROM revision WHERE updated > ? AND updated <= ? ORDER BY row'
const CREATED_WITHIN = 'SELECT kind, id FROM element WHERE created > ? AND created <= ?'
const DELETED_WITHIN = 'SELECT kind, id FROM element WHERE deleted >= ? AND deleted <= ?'
const LATE_WITHIN =
  'SELECT DISTINCT e.kind, e.id FROM late l JOIN element e ON e.element = l.element WHERE l.time >= ? AND l.time <= ?'
const ANY_LATE = 'SELECT 1 FROM late LIMIT 1'
const IS_LATE = 'SELECT 1 FROM late l JOIN element e ON e.element = l.element WHERE e.id = ? AND e.kind = ? LIMIT 1'
const KEY_OF = 'SELECT kind, id FROM element WHERE element = ?'

/** Reads one topology file; see {@link TOPOLOGY_SCHEMA} for what lies in it. */
export class TopologyReader {
  /** When the file begins. */
  readonly startMs: number
  readonly #file: DatabaseFile
  readonly #chains: MetadataChains
  readonly #isSealed: () => boolean
  /** Known for good once nothing is written into the file any more, so that most files need not be opened to tell. */
  #sealedHasLate: boolean | undefined

  /** `isSealed` tells whether the file is no longer written. */
  constructor(startMs: number, file: DatabaseFile, isSealed: () => boolean) {
    this.startMs = startMs
    this.#file = file
    this.#chains = new MetadataChains(file)
    this.#isSealed = isSealed
  }

  /** The metadata at `row`; `base` is its keyframe, 0 when it is one itself. */
  metadataOf(element: number, base: number, row: number): Metadata {
    return this.#chains.metadataOf(element, base === 0 ? row : base, row)
  }

  /**
   * Every revision that belongs to the slice, life after life in the order in which they were made, deltas resolved: valid from its update until
   * just before the next one; a deleted element belongs to the very instant of its deletion too.
   */
  read({ startMs, lastMs }: TimeSlice): StoredRevision[] {
    const revisions: StoredRevision[] = []
    for (const row of this.#file.each(IN_SLICE, startMs, lastMs)) {
      const base = asNumber(row['base'])
      const { stored, deletedAtMs } = lifeOf(row)
      // Only the last revision of a life was the one that died, and it shows only to those who look at or after its death.
      const died = deletedAtMs !== null && asNumber(row['archived']) === deletedAtMs && deletedAtMs <= lastMs
      revisions.push({
        ...stored,
        updatedAtMs: asNumber(row['updated']),
        deletedAtMs: died ? deletedAtMs : null,
        revision: asNumber(row['revision']),
        metadata:
          base === 0
            ? String(row['body'])
            : JSON.stringify(this.metadataOf(asNumber(row['element']), base, asNumber(row['row']))),
      })
    }
    return revisions
  }

  /**
   * What a file that begins at `timeMs` inherits, life after life: the revision that holds then and those of later times, which there are where a
   * sender's clock is ahead. Also of a life whose end was announced for later. Not what a clock that was set back has overtaken: it would hold
   * again where the revisions after it are in the older file alone.
   */
  heirs(timeMs: number): Heir[] {
    return this.#file.all(HEIRS, timeMs).map((row) => ({
      ...lifeOf(row),
      ...revisionOf(row),
      archivedAtMs: asNumber(row['archived']),
      metadata: this.metadataOf(asNumber(row['element']), asNumber(row['base']), asNumber(row['row'])),
    }))
  }

  /** The lives of an id in this file, in the order in which they began; those that it inherited come first. */
  lives({ kind, id }: ElementKey): LifeInFile[] {
    return this.#file.all(LIVES, id, kind === 'node' ? 0 : 1).map(lifeOf)
  }

  /** Of the revisions of a life that are not younger than `timeMs`, the one that was made last. */
  newestUpTo(element: number, timeMs: number): RevisionInFile | undefined {
    const row = this.#file.get(NEWEST_UP_TO, element, timeMs)
    return row && revisionOf(row)
  }

  /** All revisions of a life in the order in which they were made. */
  chain(element: number): RevisionInFile[] {
    return this.#file.all(CHAIN, element).map(revisionOf)
  }

  /** The ids of which something shows within `(fromMs, toMs]`, an end also at `fromMs`. Costs what lies in the window. */
  touchedWithin(fromMs: number, toMs: number): ElementKey[] {
    const elements = new Set<number>()
    for (const { element } of this.#file.each(UPDATED_WITHIN, fromMs, toMs)) elements.add(asNumber(element))
    return [
      ...[...elements].map((element) => keyOf(this.#file.get(KEY_OF, element)!)),
      ...this.#file.all(CREATED_WITHIN, fromMs, toMs).map(keyOf),
      ...this.#file.all(DELETED_WITHIN, fromMs, toMs).map(keyOf),
    ]
  }

  /** The numbers of the revisions that were made within `(fromMs, toMs]`, by element, in order. */
  numbersWithin(fromMs: number, toMs: number): Map<number, number[]> {
    const numbers = new Map<number, number[]>()
    for (const row of this.#file.each(UPDATED_WITHIN, fromMs, toMs)) {
      const element = asNumber(row['element'])
      const known = numbers.get(element)
      if (known) known.push(asNumber(row['revision']))
      else numbers.set(element, [asNumber(row['revision'])])
    }
    return numbers
  }

  /** The ids of which the file says something that was so within `[fromMs, toMs]`, before it began. */
  lateWithin(fromMs: number, toMs: number): ElementKey[] {
    return this.hasLate ? this.#file.all(LATE_WITHIN, fromMs, toMs).map(keyOf) : []
  }

  /** Whether the file says anything at all that was so before it began. */
  get hasLate(): boolean {
    if (this.#sealedHasLate !== undefined) return this.#sealedHasLate
    const hasLate = this.#file.get(ANY_LATE) !== undefined
    if (this.#isSealed()) this.#sealedHasLate = hasLate
    return hasLate
  }

  /** Whether the file says anything of an id that was so before it began. */
  isLate({ kind, id }: ElementKey): boolean {
    return this.#file.get(IS_LATE, id, kind === 'node' ? 0 : 1) !== undefined
  }
}

function keyOf(row: SqlRow): ElementKey {
  return { kind: row['kind'] === 0 ? 'node' : 'edge', id: String(row['id']) }
}

function revisionOf(row: SqlRow): RevisionInFile {
  return {
    row: asNumber(row['row']),
    base: asNumber(row['base']),
    revision: asNumber(row['revision']),
    updatedAtMs: asNumber(row['updated']),
  }
}

function lifeOf(row: SqlRow): LifeInFile {
  return {
    element: asNumber(row['element']),
    stored: {
      ...keyOf(row),
      parent: String(row['parent']),
      child: String(row['child']),
      host: String(row['host']),
      origin: String(row['origin']),
      createdAtMs: asNumber(row['created']),
    },
    deletedAtMs: row['deleted'] === null ? null : asNumber(row['deleted']),
  }
}
