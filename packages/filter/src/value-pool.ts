import type { MetadataObject, MetadataValue } from '@skydive/contracts'

const SLOTS = 2048
const MAX_MEMBERS = 32
const MAX_CHARACTERS = 64

type Composite = MetadataObject | readonly MetadataValue[]

/**
 * Equal small objects and lists of scalars, once each: `{ RelationType: 'ownership' }` of a thousand edges, the `Features` of interfaces of one
 * driver. For metadata that nobody changes any more. Holds at most 2,048 values of 32 members of 64 characters; a newer one takes an older one's
 * place.
 */
export class ValuePool {
  readonly #slots: (Composite | undefined)[] = new Array(SLOTS).fill(undefined)

  /** The place of a value; -1 when it is too large, or holds more than scalars. */
  placeOf(value: Composite, maxMembers: number = MAX_MEMBERS): number {
    return Array.isArray(value) ? placeOfList(value, maxMembers) : placeOfObject(value as MetadataObject, maxMembers)
  }

  /** An equal value that is in this place. */
  find(place: number, value: Composite): Composite | undefined {
    const known = this.#slots[place]
    return known !== undefined && areEqual(known, value) ? known : undefined
  }

  /** Keeps a value in its place, which another one may have had until now. */
  put(place: number, value: Composite): void {
    this.#slots[place] = value
  }
}

function placeOfList(value: readonly MetadataValue[], maxMembers: number): number {
  if (value.length > maxMembers) return -1
  let hash = 17
  for (const member of value) {
    const code = codeOf(member)
    if (code < 0) return -1
    hash = (Math.imul(hash, 31) + code) | 0
  }
  return place(hash)
}

function placeOfObject(value: MetadataObject, maxMembers: number): number {
  let hash = 1
  let members = 0
  for (const key in value) {
    const code = codeOf(value[key])
    if (code < 0 || ++members > maxMembers || key.length > MAX_CHARACTERS) return -1
    hash = (Math.imul(hash, 31) + code + key.length) | 0
  }
  return place(hash)
}

function place(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) & (SLOTS - 1)
}

/** A number that equal scalars have in common; -1 for what is none. */
function codeOf(value: MetadataValue | undefined): number {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 2
    case 'number':
      return value & 0x7fff_ffff
    case 'string': {
      const { length } = value
      if (length === 0) return 3
      return length > MAX_CHARACTERS ? -1 : length * 961 + value.charCodeAt(0) * 31 + value.charCodeAt(length - 1)
    }
    default:
      return -1
  }
}

function areEqual(known: Composite, value: Composite): boolean {
  if (Array.isArray(known)) {
    if (!Array.isArray(value) || value.length !== known.length) return false
    for (let i = 0; i < known.length; i++) if (known[i] !== value[i]) return false
    return true
  }
  if (Array.isArray(value)) return false
  const left = known as MetadataObject
  const right = value as MetadataObject
  let members = 0
  for (const key in right) {
    if (left[key] !== right[key]) return false
    members++
  }
  for (const _key in left) members--
  return members === 0
}
