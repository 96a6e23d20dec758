import type { MetadataOp } from '@skydive/contracts'
import { splitPath } from '@skydive/filter'

/** The code of what wrote several paths, took one away, or replaced the whole. */
export const MANY_KEYS = 0
/** The code of what wrote none: an addition or deletion. */
export const NO_KEY = 1
/** A table of words is no place to grow without end: what goes beyond is told as {@link MANY_KEYS}. */
const MAX_PATHS = 65_536
const MAX_PATH_CHARACTERS = 256

/** Small numbers for the paths that updates set. */
export class PathCodes {
  readonly #codes = new Map<string, number>()
  readonly #paths: string[] = ['', '']
  readonly #tops: string[] = ['', '']

  /** The code of an update that set one path, else {@link MANY_KEYS}. */
  codeOf(ops: readonly MetadataOp[]): number {
    const op = ops[0]
    if (ops.length !== 1 || op?.op !== 'set') return MANY_KEYS
    return this.#codes.get(op.key) ?? this.#add(op.key)
  }

  path(code: number): string {
    return this.#paths[code]!
  }

  /** The top-level key of the path. */
  top(code: number): string {
    return this.#tops[code]!
  }

  #add(path: string): number {
    const top = splitPath(path)[0]!
    // An assignment to this key would not make a property.
    if (this.#paths.length >= MAX_PATHS || path.length > MAX_PATH_CHARACTERS || top === '__proto__') return MANY_KEYS
    const code = this.#paths.length
    this.#paths.push(path)
    this.#tops.push(top)
    this.#codes.set(path, code)
    return code
  }
}
