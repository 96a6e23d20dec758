import { z } from 'zod'

// Metadata keys with their types; the texts are the documentation. Objects are loose: every node may carry keys of other probes.

const text = (meaning: string) => z.string().describe(meaning)
const whole = (meaning: string) => z.int().describe(meaning)
const count = z.int().min(0)

const COUNTERS = [
  'Collisions',
  'Multicast',
  'RxBytes',
  'RxCompressed',
  'RxCrcErrors',
  'RxDropped',
  'RxErrors',
  'RxFifoErrors',
  'RxFrameErrors',
  'RxLengthErrors',
  'RxMissedErrors',
  'RxOverErrors',
  'RxPackets',
  'TxAbortedErrors',
  'TxBytes',
  'TxCarrierErrors',
  'TxCompressed',
  'TxDropped',
  'TxErrors',
  'TxFifoErrors',
  'TxHeartbeatErrors',
  'TxPackets',
  'TxWindowErrors',
] as const

/** Counters of an interface (spec topology 5.6): absent means zero; `Start` and `Last` are ms since the epoch. */
export const interfaceMetricSchema = z.strictObject({
  ...(Object.fromEntries(COUNTERS.map((name) => [name, count.optional()])) as Record<
    (typeof COUNTERS)[number],
    z.ZodOptional<typeof count>
  >),
  Start: count.optional(),
  Last: count.optional(),
})

/** An entry of `Neighbors` or `FDB` (spec topology 5.8). */
export const neighborSchema = z.strictObject({
  Flags: z.array(z.string()).optional().describe('`NTF_*` names'),
  MAC: z.string().optional().describe('absent while it is not resolved'),
  IP: z.string().optional().describe('absent in a forwarding table, unless the entry leads into a tunnel'),
  State: z.array(z.string()).optional().describe('`NUD_*` names'),
  Vlan: z.int().optional(),
  VNI: z.int().optional(),
  IfIndex: z.int(),
})

/** One kernel table of `RoutingTables` (spec topology 5.7). */
export const routingTableSchema = z.strictObject({
  ID: whole('number of the kernel table; 254 main, 255 local'),
  Src: text('preferred source of the first route, or empty'),
  Routes: z.array(
    z.strictObject({
      Protocol: whole('who made it: 2 the kernel, 3 at boot, 4 by hand, …'),
      Prefix: text('such as `10.0.0.0/24`; `0.0.0.0/0` or `::/0` for the default route'),
      NextHops: z.array(z.strictObject({ Priority: z.int(), IP: z.string().optional(), IfIndex: z.int() })),
    }),
  ),
})

/** Keys that every node may have. */
export const nodeMetadataSchema = z.looseObject({
  Type: z.string().min(1).describe('what it is; see Node types'),
  Name: z.string().min(1).describe('its name where it stands'),
  TID: text('stable name over restarts; flows, captures and alerts refer to it').optional(),
  Manager: text('who made it; see Managers').optional(),
  Probe: text('who sees it, for nodes that no host owns').optional(),
})

/** Keys of the host node (spec topology 3). */
export const hostMetadataSchema = nodeMetadataSchema.extend({
  Type: z.literal('host'),
  Hostname: text('name that the operating system has, whatever `host_id` says'),
  Config: z
    .looseObject({})
    .optional()
    .describe('values of configuration files, by the names given in `agent.metadata_config.files`'),
  InstanceID: text('id of the instance in its cloud').optional(),
  IsolatedCPU: z.array(z.int()).optional().describe('CPUs that the scheduler leaves alone'),
  CPU: z
    .array(
      z.looseObject({
        CPU: z.int().optional(),
        VendorID: z.string().optional(),
        Family: z.string().optional(),
        Model: z.string().optional(),
        Stepping: z.int().optional(),
        PhysicalID: z.string().optional(),
        CoreID: z.string().optional(),
        Cores: z.int().optional(),
        ModelName: z.string().optional(),
        Mhz: z.int().optional(),
        CacheSize: z.int().optional(),
        Microcode: z.string().optional(),
      }),
    )
    .optional()
    .describe('one object for each logical CPU; `CacheSize` in KiB; what is zero is left out'),
  OS: text('such as `linux`').optional(),
  Platform: text('distribution, such as `debian`').optional(),
  PlatformFamily: text('its family').optional(),
  PlatformVersion: text('its version').optional(),
  KernelVersion: text('release of the kernel').optional(),
  VirtualizationSystem: text('such as `kvm`; absent when the machine does not tell').optional(),
  VirtualizationRole: z.enum(['guest', 'host']).optional().describe('on which side of it the host is'),
  KernelCmdLine: z
    .record(z.string(), z.union([z.string(), z.boolean()]))
    .optional()
    .describe('words of the kernel command line; a bare word is `true`'),
})

/** Keys of a network namespace (spec topology 6). */
export const netnsMetadataSchema = nodeMetadataSchema.extend({
  Type: z.literal('netns'),
  Path: z.string().min(1).describe('where its handle was first seen, such as `/var/run/netns/x`'),
  Inode: whole('inode of the handle; with `Device` the identity of the namespace').optional(),
  Device: whole('device of the handle').optional(),
  Runtime: text('container runtime, set by its probe').optional(),
})

/** Keys of a network interface (spec topology 5.3). */
export const interfaceMetadataSchema = nodeMetadataSchema.extend({
  EncapType: text('ARP hardware type: `ether`, `loopback`, `none`, …'),
  IfIndex: whole('index within its namespace'),
  Driver: text('name of the driver; may be empty'),
  State: z
    .enum(['UP', 'DOWN', 'UNKNOWN', 'DORMANT', 'TESTING', 'NOT-PRESENT', 'LOWER-LAYER-DOWN'])
    .describe('operational state; the loopback and tun devices do not know theirs'),
  LinkFlags: z
    .array(z.enum(['UP', 'BROADCAST', 'LOOPBACK', 'POINTTOPOINT', 'MULTICAST']))
    .nullable()
    .describe('`UP` is the will of the administrator; null when none is set'),
  MTU: whole('bytes').optional(),
  MAC: text('lower-case, with colons').optional(),
  MasterIndex: whole('index of the bridge, bond, … that it is a member of').optional(),
  ParentIndex: whole('index of the lower device, or of the peer of a veth in its own namespace').optional(),
  PeerIfIndex: whole('veth: index of the peer in its own namespace').optional(),
  Speed: whole('Mbit/s; absent when the driver does not know').optional(),
  Vlan: whole('VLAN id of a VLAN device').optional(),
  BusInfo: text('address on the PCI bus or the like; absent when the driver refuses').optional(),
  LinkNetNsID: whole('number that its namespace has for that of the other end').optional(),
  LinkNetNsName: text('name of that namespace; empty while it is not known, and for the host').optional(),
  IPV4: z.array(z.string()).optional().describe('addresses with their prefix length, such as `10.0.0.1/24`'),
  IPV6: z.array(z.string()).optional().describe('as `IPV4`'),
  RoutingTables: z.array(routingTableSchema).optional().describe('routes that lead through it, by kernel table'),
  Neighbors: z.array(neighborSchema).optional().describe('entries of the ARP and ND tables'),
  FDB: z.array(neighborSchema).optional().describe('entries of the forwarding table'),
  Features: z.record(z.string(), z.boolean()).optional().describe('offloads, by the names of the kernel'),
  BondMode: text('mode of a bond, such as `802.3ad`').optional(),
  BondSlave: z.looseObject({}).optional().describe('state of a member of a bond'),
  Vfs: z.array(z.looseObject({})).optional().describe('virtual functions of a network card'),
  VfID: whole('number of the virtual function').optional(),
  Metric: interfaceMetricSchema.optional().describe('counters since the interface was made'),
  LastUpdateMetric: interfaceMetricSchema.optional().describe('how much they grew between `Start` and `Last`'),
})

/** Keys of every edge. */
export const edgeMetadataSchema = z.looseObject({
  RelationType: z.string().min(1).describe('what joins the two; see Relation types'),
  Type: text('kind of a `layer2` edge').optional(),
  Manager: text('who made it').optional(),
})

/** What publishers must give (spec topology 2.1): `Type` and `Name`, a namespace its `Path`, an Open vSwitch port its `UUID`. */
export const publishedNodeSchema = nodeMetadataSchema.superRefine((metadata, context) => {
  const needed = { netns: 'Path', ovsport: 'UUID' }[metadata.Type]
  if (needed === undefined) return
  const value = metadata[needed]
  if (typeof value !== 'string' || value === '') {
    context.addIssue({ code: 'custom', path: [needed], message: `a node of Type ${metadata.Type} needs ${needed}` })
  }
})

/** The schemas of the nodes that the agent itself writes, by what they are about. */
export const NODE_SCHEMAS = {
  node: nodeMetadataSchema,
  host: hostMetadataSchema,
  netns: netnsMetadataSchema,
  interface: interfaceMetadataSchema,
} as const
