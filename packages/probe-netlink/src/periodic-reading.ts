import type { GraphSync } from './graph-sync.ts'
import type { Namespaces } from './namespaces.ts'
import { dumpLinks, dumpNeighbors, visitCounters } from './snapshot.ts'

/** Interfaces whose ethtool answers are read in one step, which takes 5 µs each. */
const DEVICES_AT_ONCE = 128

/**
 * Reads the counters of all namespaces and writes them, a step for each, so that the caller may pause in between. With `inspect` it also
 * reads what the kernel may have changed without telling (links, neighbours that need no resolution, speeds) and leaves it in the mirrors:
 * ten times as costly.
 */
export function* readingSteps(namespaces: Namespaces, sync: GraphSync, inspect: boolean): Generator<void> {
  for (const namespace of [...namespaces.all]) {
    if (namespaces.byKey(namespace.info.key) !== namespace) continue
    const { mirror } = namespace
    namespaces.within(namespace, (socket) => sync.updateCounters(namespace, (visit) => visitCounters(socket, visit)))
    yield
    if (!inspect) continue
    namespaces.within(namespace, (socket) => mirror.replaceLinks(dumpLinks(socket)))
    yield
    namespaces.within(namespace, (socket) => mirror.replaceNeighbors(dumpNeighbors(socket)))
    yield
    const links = [...mirror.interfaces.values()].map(({ link }) => link)
    for (let at = 0; at < links.length; at += DEVICES_AT_ONCE) {
      sync.touchChangedDevices(namespace, links.slice(at, at + DEVICES_AT_ONCE))
      yield
    }
  }
}
