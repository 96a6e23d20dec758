import { oidUuid } from '@skydive/contracts'

// Spec topology 4. A TID names a thing by where it stands (host, namespace, name), so that flows, captures and alerts find it again after
// a restart; node ids name one life of it.

/** The TID of a host: from its name alone, `host_id` of the configuration. */
export function hostTid(hostName: string): string {
  return oidUuid(hostName)
}

/** The TID of a network namespace: from the host and the path of its handle, such as `/var/run/netns/x`. */
export function netnsTid(hostTidValue: string, path: string): string {
  return oidUuid(`${hostTidValue}${path}netns`)
}

/** The TID of an Open vSwitch bridge or port: from its row in the database, since it may move between namespaces. */
export function ovsTid(hostTidValue: string, rowUuid: string, type: 'ovsbridge' | 'ovsport'): string {
  return oidUuid(hostTidValue + rowUuid + type)
}

/** The TID of anything else: from that of its owner. Two children of one owner with the same name and type share it. */
export function childTid(ownerTid: string, name: string, type: string): string {
  return oidUuid(ownerTid + name + type)
}
