import type { Metadata } from '@skydive/contracts'
import { deletePath, setPath } from '@skydive/filter'
import type { DatabaseFile } from './database-file.ts'

const CHAIN = 'SELECT row, base, body FROM revision WHERE element = ? AND row BETWEEN ? AND ? ORDER BY row'

/** Metadata of revisions that are kept as operations upon the one before. */
export class MetadataChains {
  readonly #file: DatabaseFile

  constructor(file: DatabaseFile) {
    this.#file = file
  }

  /** The metadata at `row`, rebuilt from its keyframe at `base`: the row itself when it is one. */
  metadataOf(element: number, base: number, row: number): Metadata {
    let metadata: Metadata = {}
    for (const { row: at, body } of this.#file.all(CHAIN, element, base, row)) {
      const parsed = JSON.parse(String(body))
      metadata = Number(at) === base ? (parsed as Metadata) : applyOps(metadata, parsed)
    }
    return metadata
  }
}

/** Metadata after operations; one that can't be applied is left out, as in the graph that sent it. */
export function applyOps(metadata: Metadata, ops: readonly { op: string; key?: string; value?: unknown }[]): Metadata {
  let result = metadata
  for (const { op, key, value } of ops) {
    if (op === 'replace') result = value as Metadata
    else if (op === 'set') result = setPath(result, key!, value as never) ?? result
    else result = deletePath(result, key!) ?? result
  }
  return result
}
