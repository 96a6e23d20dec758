import type { MetadataObject, MetadataValue } from '@skydive/contracts'

/** The value of an own key, `undefined` when there is none: `constructor` and `__proto__` are keys like any other. */
export function ownMember(object: MetadataObject, key: string): MetadataValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
