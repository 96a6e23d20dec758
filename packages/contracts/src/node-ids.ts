/**
 * Hands out node ids that stay the same when the agent restarts, and differ when a thing is gone and another takes its place.
 *
 * `key` names a thing among everything on this host that exists at the same time: `4:4026531840/12/veth`.
 */
export interface NodeIds {
  /** The id of the thing; the first call for a key makes one. O(1). */
  idOf(key: string): string
  /** The thing known by `from` is now known by `to` and keeps its id, as an interface that moves between namespaces. */
  rename(from: string, to: string): void
  /** The thing is gone: the next one by this key gets another id. Unknown keys are ignored. */
  forget(key: string): void
  /** Forgets every key that begins with `prefix` and is not in `keys`: what went while nobody watched. */
  retain(prefix: string, keys: ReadonlySet<string>): void
}
