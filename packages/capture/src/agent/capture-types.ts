/** Node types whose packets pass through an interface (spec flows 3.2). */
const INTERFACE_TYPES =
  'internal veth tun bridge dummy gre bond can hsr ifb macvlan macvtap vlan vxlan gretap ip6gretap geneve ipoib vcan ipip ipvlan ' +
  'lowpan ip6tnl ip6gre sit device'

const ON_INTERFACE = ['afpacket', 'pcap', 'pcapsocket', 'sflow', 'netflow', 'ebpf']

/** Capture types by node type; the first is the default. */
const CAPTURE_TYPES: ReadonlyMap<string, readonly string[]> = new Map([
  ...INTERFACE_TYPES.split(' ').map((type): [string, readonly string[]] => [type, ON_INTERFACE]),
  ['ovsbridge', ['ovssflow', 'pcapsocket', 'ovsnetflow', 'netflow']],
  ['ovsport', ['ovsmirror']],
  ['dpdkport', ['dpdk']],
])

/** The capture types that a node of this type allows, its default first; empty for one that can't be captured (spec flows 3.2). */
export function captureTypesOf(nodeType: unknown): readonly string[] {
  return (typeof nodeType === 'string' && CAPTURE_TYPES.get(nodeType)) || []
}

/** Whether the node is a bridge of a switch, which has no interface of its own: the switch sends to whoever listens for it. */
export function isSwitch(nodeType: unknown): boolean {
  return nodeType === 'ovsbridge'
}

/** Whether a capture of this type opens the interface of such a node, which has to be up then; packets or records are sent to the others. */
export function needsInterface(captureType: string, nodeType: unknown): boolean {
  return captureType !== 'pcapsocket' && !isSwitch(nodeType)
}
