/** A value of `RelationType` of an edge. `metadata` names what else the edge may carry. */
export interface RelationType {
  readonly type: string
  readonly meaning: string
  readonly metadata?: string
}

/** The relation of an owner to what it owns; a node has at most one such parent. */
export const OWNERSHIP = 'ownership'
/** The relation of two nodes between which frames pass. */
export const LAYER2 = 'layer2'

/** Every `RelationType` (spec topology 31.2). */
export const RELATION_TYPES: readonly RelationType[] = [
  { type: OWNERSHIP, meaning: 'the parent owns the child: host and namespace, namespace and interface, namespace and container' },
  {
    type: LAYER2,
    meaning: 'frames pass between the two: bridge and port, both ends of a cable',
    metadata: '`Type`: `veth`, `vlan`, `patch`, `fabric`; `Directed`, `Manager` (BESS, ovnk8s)',
  },
  { type: 'vlayer2', meaning: 'an interface of a virtual machine and that of the host which carries it' },
  { type: 'vf', meaning: 'a network card and one of its virtual functions' },
  { type: 'connected', meaning: 'block devices that stand on each other', metadata: '`Type`: `blockdevlink`' },
  { type: 'multipath', meaning: 'paths to one block device' },
  { type: 'ovn', meaning: 'a row of the OVN database and one that it refers to' },
  { type: 'mapping', meaning: 'an interface and the OVN port that it stands for' },
  {
    type: 'networkpolicy',
    meaning: 'a policy and a pod that it is about',
    metadata: '`PolicyType`, `PolicyTarget`, `PolicyPoint`, `PolicyPorts`',
  },
  ...[
    'node',
    'container',
    'pod',
    'service',
    'ingress',
    'deployment',
    'replicaset',
    'daemonset',
    'statefulset',
    'storageclass',
    'persistentvolumeclaim',
    'virtualservice',
    'destinationrule',
    'gateway',
  ].map((type) => ({ type, meaning: 'a Kubernetes or Istio object of this kind and what belongs to it' })),
]

/** Values of `Manager`: who made a node or edge, besides the probe that sees it. */
export const MANAGERS: readonly string[] = [
  'docker',
  'runc',
  'lxd',
  'neutron',
  'k8s',
  'istio',
  'ovn',
  'ovnk8s',
  'BESS',
  'blockdev',
]

/** Values of `Probe`, for nodes that are not owned by a host. */
export const PROBES: readonly string[] = ['fabric', 'lldp']
