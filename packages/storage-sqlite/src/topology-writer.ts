import type { Metadata } from '@skydive/contracts'
import type { DatabaseFile } from './database-file.ts'
import type { StoredElement, TopologyChange } from './messages.ts'
import { applyOps, MetadataChains } from './metadata-chains.ts'
import type { Heir } from './topology-reader.ts'
import { LIVE } from './topology-schema.ts'

/** A delta chain is cut by a keyframe after this many revisions: reading one revision parses at most so many operations. */
const KEYFRAME_EVERY = 16

interface Life {
  readonly element: number
  revision: number
  row: number
  base: number
  deltas: number
  readonly createdAtMs: number
  /** The number of its word. */
  readonly origin: number
}

const INSERT_ELEMENT =
  'INSERT INTO element (kind, id, parent, child, host, origin, created, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
const INSERT_REVISION = 'INSERT INTO revision (element, revision, updated, archived, base, body) VALUES (?, ?, ?, ?, ?, ?)'
const ARCHIVE = 'UPDATE revision SET archived = ? WHERE row = ?'

/** `undefined` answers of SQLite as JavaScript numbers. */
const asNumber = (value: unknown): number => Number(value)

const lifeKey = (kind: 'node' | 'edge', id: string): string => (kind === 'node' ? `n${id}` : `e${id}`)

/**
 * Writes one topology file: the newest. What it knows of the file in memory (which elements live, the words) is for writing alone; who reads needs
 * a {@link TopologyReader}.
 */
export class TopologyWriter {
  readonly startMs: number
  readonly #file: DatabaseFile
  readonly #chains: MetadataChains
  readonly #lives = new Map<string, Life>()
  readonly #words = new Map<string, number>()

  constructor(startMs: number, file: DatabaseFile) {
    this.startMs = startMs
    this.#file = file
    this.#chains = new MetadataChains(file)
    this.#load()
  }

  /** Takes up the live elements of a file that was written before. */
  #load(): void {
    for (const { word, text } of this.#file.each('SELECT word, text FROM word')) {
      this.#words.set(String(text), asNumber(word))
    }
    const live = this.#file.each(`
      SELECT e.element, e.kind, e.id, e.created, e.origin, r.row, CASE r.base WHEN 0 THEN r.row ELSE r.base END AS base, r.revision,
             (SELECT count(*) FROM revision d WHERE r.base > 0 AND d.element = e.element AND d.row > r.base AND d.row <= r.row) AS deltas
      FROM revision r JOIN element e ON e.element = r.element WHERE r.archived = ${LIVE}`)
    for (const row of live) {
      this.#lives.set(lifeKey(row['kind'] === 0 ? 'node' : 'edge', String(row['id'])), {
        element: asNumber(row['element']),
        revision: asNumber(row['revision']),
        row: asNumber(row['row']),
        base: asNumber(row['base']),
        deltas: asNumber(row['deltas']),
        createdAtMs: asNumber(row['created']),
        origin: asNumber(row['origin']),
      })
    }
  }

  /** How many elements live at the end of this file. */
  get liveCount(): number {
    return this.#lives.size
  }

  /** Writes changes in one transaction: all of them or, when it throws, none. */
  write(changes: readonly TopologyChange[]): void {
    try {
      this.#file.transaction(() => {
        for (const change of changes) this.#apply(change)
      })
    } catch (error) {
      // What was noted in memory while the transaction ran is no longer true.
      this.#lives.clear()
      this.#words.clear()
      this.#load()
      throw error
    }
  }

  #apply(change: TopologyChange): void {
    if (change.op === 'put') this.#put(change.element, change.revision, change.updatedAtMs, change.metadata)
    else if (change.op === 'delete') this.#delete(lifeKey(change.kind, change.id), change.deletedAtMs)
    else if (change.op === 'patch') this.#patch(change)
    else this.#reconcile(change)
  }

  /** Makes the live elements equal to `live`: what is missing there ends, what is new or newer is taken. */
  #reconcile({ live, timeMs, origin }: TopologyChange & { op: 'reconcile' }): void {
    const wanted = new Set(live.map(({ element }) => lifeKey(element.kind, element.id)))
    const writer = origin === undefined ? undefined : this.#word(origin)
    for (const [key, life] of this.#lives) {
      if (!wanted.has(key) && (writer === undefined || life.origin === writer)) this.#delete(key, timeMs)
    }
    for (const { element, revision, updatedAtMs, metadata } of live) this.#put(element, revision, updatedAtMs, metadata)
  }

  #put(element: StoredElement, revision: number, updatedAtMs: number, metadata: Metadata): void {
    const key = lifeKey(element.kind, element.id)
    let life = this.#lives.get(key)
    if (life && life.createdAtMs !== element.createdAtMs) {
      // The same id came back (an agent restarted): the old life ends where the new one begins.
      this.#delete(key, element.createdAtMs)
      life = undefined
    }
    if (life && life.revision >= revision) return
    if (!life) {
      life = {
        element: this.#insertElement(element, null),
        revision: 0,
        row: 0,
        base: 0,
        deltas: 0,
        createdAtMs: element.createdAtMs,
        origin: this.#word(element.origin),
      }
      this.#lives.set(key, life)
    }
    this.#append(life, revision, updatedAtMs, JSON.stringify(metadata), true)
  }

  #patch(change: TopologyChange & { op: 'patch' }): void {
    const life = this.#lives.get(lifeKey(change.kind, change.id))
    if (!life || life.revision >= change.revision) return
    const whole = change.ops.findLast((op) => op.op === 'replace')
    if (whole || life.deltas + 1 >= KEYFRAME_EVERY) {
      let metadata = this.#chains.metadataOf(life.element, life.base, life.row)
      metadata = applyOps(metadata, change.ops)
      this.#append(life, change.revision, change.updatedAtMs, JSON.stringify(metadata), true)
    } else {
      this.#append(life, change.revision, change.updatedAtMs, JSON.stringify(change.ops), false)
    }
  }

  #append(life: Life, revision: number, updatedAtMs: number, body: string, keyframe: boolean): void {
    if (life.row !== 0) this.#file.run(ARCHIVE, updatedAtMs, life.row)
    // When it was made, and when it showed: not before its life began.
    this.#noteLate(life.element, updatedAtMs)
    if (life.createdAtMs > updatedAtMs) this.#noteLate(life.element, life.createdAtMs)
    life.row = this.#insertRevision(life.element, revision, updatedAtMs, LIVE, keyframe ? 0 : life.base, body)
    life.revision = revision
    if (keyframe) {
      life.base = life.row
      life.deltas = 0
    } else {
      life.deltas += 1
    }
  }

  #delete(key: string, deletedAtMs: number): void {
    const life = this.#lives.get(key)
    if (!life) return
    this.#file.run(ARCHIVE, deletedAtMs, life.row)
    this.#file.run('UPDATE element SET deleted = ? WHERE element = ?', deletedAtMs, life.element)
    this.#noteLate(life.element, deletedAtMs)
    this.#lives.delete(key)
  }

  /** The number of the element. */
  #insertElement(element: StoredElement, deletedAtMs: number | null): number {
    const inserted = this.#file.run(
      INSERT_ELEMENT,
      element.kind === 'node' ? 0 : 1,
      element.id,
      element.parent,
      element.child,
      this.#word(element.host),
      this.#word(element.origin),
      element.createdAtMs,
      deletedAtMs,
    )
    return asNumber(inserted.lastInsertRowid)
  }

  /** The row of the revision; the values are those of the table. */
  #insertRevision(...values: [element: number, revision: number, updated: number, archived: number, base: number, body: string]) {
    return asNumber(this.#file.run(INSERT_REVISION, ...values).lastInsertRowid)
  }

  #noteLate(element: number, timeMs: number): void {
    if (timeMs < this.startMs) this.#file.run('INSERT INTO late (element, time) VALUES (?, ?)', element, timeMs)
  }

  #word(text: string): number {
    let word = this.#words.get(text)
    if (word === undefined) {
      word = asNumber(this.#file.run('INSERT INTO word (text) VALUES (?)', text).lastInsertRowid)
      this.#words.set(text, word)
    }
    return word
  }

  /** Begins an empty file with what it inherits, as it was; within the transaction of the caller. */
  inherit(heirs: readonly Heir[]): void {
    let previous = -1
    let element = 0
    for (const heir of heirs) {
      if (heir.element !== previous) {
        element = this.#insertElement(heir.stored, heir.deletedAtMs)
        previous = heir.element
      }
      this.#insertRevision(element, heir.revision, heir.updatedAtMs, heir.archivedAtMs, 0, JSON.stringify(heir.metadata))
    }
    this.#load()
  }
}
