import type { Metadata, TimeSlice } from '@skydive/contracts'
import { deletePath, setPath } from '@skydive/filter'
import type { LiveElement, StoredElement, StoredRevision, TopologyChange } from './messages.ts'
import { type Database, inTransaction, type Statement } from './sqlite.ts'

/** `archived` of a revision that is still the newest: greater than every time. */
const LIVE = Number.MAX_SAFE_INTEGER

/**
 * One file of history. An element row is one life of one id; its revisions are keyframes (whole metadata) and deltas
 * (operations upon the revision before, `base` = the row of their keyframe; 0 in a keyframe).
 */
export const TOPOLOGY_SCHEMA = `
CREATE TABLE IF NOT EXISTS word (word INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS element (
  element INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, child TEXT NOT NULL,
  host INTEGER NOT NULL, origin INTEGER NOT NULL, created INTEGER NOT NULL, deleted INTEGER);
CREATE TABLE IF NOT EXISTS revision (
  row INTEGER PRIMARY KEY, element INTEGER NOT NULL, revision INTEGER NOT NULL, updated INTEGER NOT NULL, archived INTEGER NOT NULL,
  base INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS revision_by_element ON revision (element, row);
CREATE INDEX IF NOT EXISTS revision_by_time ON revision (archived, updated);
`

/** A delta chain is cut by a keyframe after this many revisions: reading one revision parses at most so many operations. */
const KEYFRAME_EVERY = 16

interface Life {
  readonly element: number
  revision: number
  row: number
  base: number
  deltas: number
  readonly createdAtMs: number
}

/** `undefined` answers of SQLite as JavaScript numbers. */
const asNumber = (value: unknown): number => Number(value)

const lifeKey = (kind: 'node' | 'edge', id: string): string => (kind === 'node' ? `n${id}` : `e${id}`)

/** Writes to and reads from one topology file. Not transactional by itself: {@link TopologyPartition.write} wraps a batch of changes. */
export class TopologyPartition {
  readonly startMs: number
  readonly #database: Database
  readonly #lives = new Map<string, Life>()
  readonly #words = new Map<string, number>()
  readonly #insertElement: Statement
  readonly #insertRevision: Statement
  readonly #archive: Statement
  readonly #markDeleted: Statement
  readonly #insertWord: Statement
  readonly #chain: Statement
  readonly #inSlice: Statement

  constructor(startMs: number, database: Database) {
    this.startMs = startMs
    this.#database = database
    this.#insertElement = database.prepare(
      'INSERT INTO element (kind, id, parent, child, host, origin, created) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#insertRevision = database.prepare(
      'INSERT INTO revision (element, revision, updated, archived, base, body) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#archive = database.prepare('UPDATE revision SET archived = ? WHERE row = ?')
    this.#markDeleted = database.prepare('UPDATE element SET deleted = ? WHERE element = ?')
    this.#insertWord = database.prepare('INSERT INTO word (text) VALUES (?)')
    this.#chain = database.prepare('SELECT row, base, body FROM revision WHERE element = ? AND row BETWEEN ? AND ? ORDER BY row')
    this.#inSlice = database.prepare(`
      SELECT r.row, r.element, r.revision, r.updated, r.archived, r.base, r.body, e.kind, e.id, e.parent, e.child,
             h.text AS host, o.text AS origin, e.created, e.deleted
      FROM revision r JOIN element e ON e.element = r.element JOIN word h ON h.word = e.host JOIN word o ON o.word = e.origin
      WHERE (r.archived > ?1 OR (r.archived = ?1 AND e.deleted = r.archived)) AND r.updated <= ?2 AND e.created <= ?2 ORDER BY r.updated, r.row`)
    this.#load()
  }

  /** Takes up the live elements of a file that was written before. */
  #load(): void {
    for (const { word, text } of this.#database.prepare('SELECT word, text FROM word').iterate()) {
      this.#words.set(String(text), asNumber(word))
    }
    const live = this.#database.prepare(`
      SELECT e.element, e.kind, e.id, e.created, r.row, CASE r.base WHEN 0 THEN r.row ELSE r.base END AS base, r.revision,
             (SELECT count(*) FROM revision d WHERE r.base > 0 AND d.element = e.element AND d.row > r.base AND d.row <= r.row) AS deltas
      FROM revision r JOIN element e ON e.element = r.element WHERE r.archived = ${LIVE}`)
    for (const row of live.iterate()) {
      this.#lives.set(lifeKey(row['kind'] === 0 ? 'node' : 'edge', String(row['id'])), {
        element: asNumber(row['element']),
        revision: asNumber(row['revision']),
        row: asNumber(row['row']),
        base: asNumber(row['base']),
        deltas: asNumber(row['deltas']),
        createdAtMs: asNumber(row['created']),
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
      inTransaction(this.#database, () => {
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
    else this.#patch(change)
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
      const inserted = this.#insertElement.run(
        element.kind === 'node' ? 0 : 1,
        element.id,
        element.parent,
        element.child,
        this.#word(element.host),
        this.#word(element.origin),
        element.createdAtMs,
      )
      life = {
        element: asNumber(inserted.lastInsertRowid),
        revision: 0,
        row: 0,
        base: 0,
        deltas: 0,
        createdAtMs: element.createdAtMs,
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
      let metadata = this.#metadataOf(life.element, life.base, life.row)
      metadata = applyOps(metadata, change.ops)
      this.#append(life, change.revision, change.updatedAtMs, JSON.stringify(metadata), true)
    } else {
      this.#append(life, change.revision, change.updatedAtMs, JSON.stringify(change.ops), false)
    }
  }

  #append(life: Life, revision: number, updatedAtMs: number, body: string, keyframe: boolean): void {
    if (life.row !== 0) this.#archive.run(updatedAtMs, life.row)
    const inserted = this.#insertRevision.run(life.element, revision, updatedAtMs, LIVE, keyframe ? 0 : life.base, body)
    life.row = asNumber(inserted.lastInsertRowid)
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
    this.#archive.run(deletedAtMs, life.row)
    this.#markDeleted.run(deletedAtMs, life.element)
    this.#lives.delete(key)
  }

  #word(text: string): number {
    let word = this.#words.get(text)
    if (word === undefined) {
      word = asNumber(this.#insertWord.run(text).lastInsertRowid)
      this.#words.set(text, word)
    }
    return word
  }

  /** The metadata at `row`, rebuilt from its keyframe. */
  #metadataOf(element: number, base: number, row: number): Metadata {
    let metadata: Metadata = {}
    for (const { row: at, body } of this.#chain.all(element, base, row)) {
      const parsed = JSON.parse(String(body))
      metadata = asNumber(at) === base ? (parsed as Metadata) : applyOps(metadata, parsed)
    }
    return metadata
  }

  /**
   * Every revision that belongs to the slice, by time of update, deltas resolved: valid from its update until just before the next one; a
   * deleted element belongs to the very instant of its deletion too.
   */
  read({ startMs, lastMs }: TimeSlice): StoredRevision[] {
    const revisions: StoredRevision[] = []
    for (const row of this.#inSlice.iterate(startMs, lastMs)) {
      const base = asNumber(row['base'])
      const deleted = row['deleted'] === null ? null : asNumber(row['deleted'])
      // Only the last revision of a life was the one that died, and it shows only to those who look at or after its death.
      const died = deleted !== null && asNumber(row['archived']) === deleted && deleted <= lastMs
      revisions.push({
        kind: row['kind'] === 0 ? 'node' : 'edge',
        id: String(row['id']),
        parent: String(row['parent']),
        child: String(row['child']),
        host: String(row['host']),
        origin: String(row['origin']),
        createdAtMs: asNumber(row['created']),
        updatedAtMs: asNumber(row['updated']),
        deletedAtMs: died ? deleted : null,
        revision: asNumber(row['revision']),
        metadata:
          base === 0
            ? String(row['body'])
            : JSON.stringify(this.#metadataOf(asNumber(row['element']), base, asNumber(row['row']))),
      })
    }
    return revisions
  }

  /** The elements that live at the end of this file, as keyframes for the next one. */
  live(): TopologyChange[] {
    return this.read({ startMs: LIVE - 1, lastMs: LIVE }).map((revision) => ({
      op: 'put',
      element: {
        kind: revision.kind,
        id: revision.id,
        parent: revision.parent,
        child: revision.child,
        host: revision.host,
        origin: revision.origin,
        createdAtMs: revision.createdAtMs,
      },
      revision: revision.revision,
      updatedAtMs: revision.updatedAtMs,
      metadata: JSON.parse(revision.metadata) as Metadata,
    }))
  }

  /** Makes the live elements equal to `live`: what is missing there ends at `timeMs`, what is new or newer is taken. */
  reconcile(live: readonly LiveElement[], timeMs: number): void {
    const wanted = new Set(live.map(({ element }) => lifeKey(element.kind, element.id)))
    const gone: TopologyChange[] = [...this.#lives.keys()]
      .filter((key) => !wanted.has(key))
      .map((key) => ({ op: 'delete', kind: key.startsWith('n') ? 'node' : 'edge', id: key.slice(1), deletedAtMs: timeMs }))
    this.write([...gone, ...live.map((element) => ({ op: 'put', ...element }) as const)])
  }
}

function applyOps(metadata: Metadata, ops: readonly { op: string; key?: string; value?: unknown }[]): Metadata {
  let result = metadata
  for (const { op, key, value } of ops) {
    if (op === 'replace') result = value as Metadata
    else if (op === 'set') result = setPath(result, key!, value as never) ?? result
    else result = deletePath(result, key!) ?? result
  }
  return result
}
