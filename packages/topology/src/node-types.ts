/** A value of `Type` of a node. Shape: `{ type: 'bridge', producer: 'netlink', meaning: 'a Linux bridge' }`. */
export interface NodeType {
  readonly type: string
  readonly producer: string
  readonly meaning: string
}

const of = (producer: string, meanings: Readonly<Record<string, string>>): readonly NodeType[] =>
  Object.entries(meanings).map(([type, meaning]) => ({ type, producer, meaning }))

const kinds = (meaning: string, names: string): Readonly<Record<string, string>> =>
  Object.fromEntries(names.split(' ').map((name) => [name, meaning]))

/**
 * Every `Type` that a probe of this project writes, by producer (spec topology 31.1). `netlink` also writes kinds of the kernel that are
 * not listed, and bess and Kubernetes names of their own drivers and resources.
 */
export const NODE_TYPES: readonly NodeType[] = [
  ...of('agent', { host: 'the host itself: the root of all that its agent sees' }),
  ...of('netlink', {
    device: 'an interface for which the kernel names no kind: a physical card, the loopback',
    bond: 'several interfaces as one',
    bridge: 'a Linux bridge',
    dummy: 'an interface that drops everything',
    geneve: 'a Geneve tunnel',
    gre: 'a GRE tunnel for IPv4',
    gretap: 'a GRE tunnel for Ethernet',
    gtp: 'a GTP tunnel of mobile networks',
    ifb: 'an intermediate functional block, for shaping what comes in',
    ip6gre: 'a GRE tunnel over IPv6',
    ip6gretap: 'a GRE tunnel for Ethernet over IPv6',
    ip6tnl: 'a tunnel over IPv6',
    ipip: 'an IPv4 tunnel in IPv4',
    ipoib: 'IP over InfiniBand',
    ipvlan: 'an interface that shares its lower one, told apart by IP address',
    macvlan: 'an interface that shares its lower one, told apart by MAC address',
    macvtap: 'a macvlan with a character device instead of a network stack',
    openvswitch: 'an interface of the Open vSwitch datapath',
    sit: 'an IPv6 tunnel in IPv4',
    team: 'several interfaces as one, by a daemon',
    tuntap: 'a tun or tap device of a program',
    veth: 'one end of a virtual cable',
    vlan: 'an 802.1Q or 802.1ad VLAN on a lower interface',
    vrf: 'a virtual router with a routing table of its own',
    vti: 'an IPsec tunnel for IPv4',
    vti6: 'an IPsec tunnel for IPv6',
    vxlan: 'a VXLAN tunnel',
    wireguard: 'a WireGuard tunnel',
    xfrm: 'an IPsec interface',
  }),
  ...of('netns', { netns: 'a network namespace' }),
  ...of('docker, runc, lxd', { container: 'a container of a runtime' }),
  ...of('libvirt', { libvirt: 'a virtual machine' }),
  ...of('ovsdb', {
    ovsbridge: 'an Open vSwitch bridge',
    ovsport: 'a port of an Open vSwitch bridge',
    internal: 'an interface that Open vSwitch makes in the host',
    patch: 'one end of a cable between two Open vSwitch bridges',
  }),
  ...of('OpenFlow', { ofrule: 'a flow rule of a bridge', ofgroup: 'a group of a bridge' }),
  ...of('lldp', { switch: 'a chassis that announced itself', switchport: 'a port of such a chassis' }),
  ...of('blockdev', {
    cluster: 'a group of block devices, or a Kubernetes cluster (`Manager` tells them apart)',
    blockdev: 'a block device',
    blockdevlvm: 'a logical volume',
    blockdevleaf: 'a block device that nothing stands on',
  }),
  ...of('vpp', { vpp: 'a VPP router' }),
  ...of('bess', { bess: 'a BESS switch' }),
  ...of(
    'k8s',
    kinds(
      'a Kubernetes object of this kind',
      'configmap cronjob daemonset deployment endpoints ingress job namespace networkpolicy node persistentvolume persistentvolumeclaim pod replicaset replicationcontroller secret service statefulset storageclass',
    ),
  ),
  ...of('istio', kinds('an Istio object of this kind', 'destinationrule gateway serviceentry virtualservice')),
  ...of(
    'ovn',
    kinds(
      'a row of this table of the OVN northbound database',
      'ACL AddressSet Connection DHCPOptions DNS ForwardingGroup GatewayChassis HAChassis HAChassisGroup LoadBalancer LoadBalancerHealthCheck LogicalRouter LogicalRouterPolicy LogicalRouterPort LogicalRouterStaticRoute LogicalSwitch LogicalSwitchPort Meter MeterBand NAT NBGlobal PortGroup QoS SSL',
    ),
  ),
]
