import type { TestHost } from './host.ts'
import { readOracle, type Seen, seenOf } from './oracle.ts'

/** Every place where iproute2 and the graph say different things now, a line each. `''` among the namespaces is the host's own. */
export function compare(host: TestHost, namespaces: readonly string[]): readonly string[] {
  const wanted = new Map<string, Seen>()
  for (const namespace of namespaces) {
    for (const [name, seen] of readOracle(host.network, namespace || undefined)) wanted.set(`${namespace}/${name}`, seen)
  }
  const found = new Map([...host.interfaces()].map(([place, metadata]) => [place, seenOf(metadata)]))
  const joints = new Set(jointsOf(wanted))
  const drawn = new Set(host.joints())
  return [
    ...union(wanted.keys(), found.keys()).flatMap((place) => differences(place, wanted.get(place) ?? {}, found.get(place) ?? {})),
    ...union(joints, drawn).flatMap((joint) => {
      if (joints.has(joint) && drawn.has(joint)) return []
      return [`${joint}: ${joints.has(joint) ? 'not in the graph' : 'only in the graph'}`]
    }),
  ]
}

function differences(place: string, theirs: Seen, ours: Seen): readonly string[] {
  return union(Object.keys(theirs), Object.keys(ours)).flatMap((key) => {
    const [wanted, found] = [JSON.stringify(theirs[key]), JSON.stringify(ours[key])]
    return wanted === found ? [] : [`${place} ${key}: iproute2 ${wanted}, graph ${found}`]
  })
}

/** The pairs and ports that follow from what iproute2 prints, in the words of {@link TestHost.joints}. */
function jointsOf(interfaces: ReadonlyMap<string, Seen>): readonly string[] {
  const byIndex = new Map([...interfaces].map(([place, seen]) => [`${namespaceOf(place)}/${seen['IfIndex']}`, place]))
  return [...interfaces].flatMap(([place, seen]) => {
    const { MasterIndex: master, ParentIndex: parent, LinkNetNsName: elsewhere = namespaceOf(place) } = seen
    const bridge = byIndex.get(`${namespaceOf(place)}/${master}`)
    const other = seen['Type'] === 'veth' ? byIndex.get(`${elsewhere}/${parent}`) : undefined
    return [...(bridge ? [`${bridge}>${place}`] : []), ...(other ? [[place, other].sort().join('=')] : [])]
  })
}

function namespaceOf(place: string): string {
  return place.slice(0, place.indexOf('/'))
}

function union(a: Iterable<string>, b: Iterable<string>): readonly string[] {
  return [...new Set([...a, ...b])].sort()
}
