import { z } from 'zod'
import { agentSchema } from './agent.ts'
import { analyzerSchema } from './analyzer.ts'
import {
  choice,
  flag,
  integer,
  list,
  optionalInteger,
  optionalList,
  optionalNumber,
  optionalText,
  seconds,
  section,
  text,
  textMap,
} from './fields.ts'
import { storeSchema } from './storage.ts'

const authSchema = z.object({
  type: z.enum(['noauth', 'basic', 'keystone']).describe('noauth, basic or keystone'),
  file: optionalText('An htpasswd file'),
  users: textMap('User to clear-text password'),
  role: text('admin', 'Role of the users'),
  auth_url: optionalText('Address of Keystone'),
  tenant_name: text('admin', 'Project in Keystone'),
  domain_name: text('Default', 'Domain in Keystone'),
})

const levels = ['DEBUG', 'INFO', 'WARN', 'WARNING', 'ERROR'] as const
const perBackend = { level: optionalText('Level of this backend'), encoder: optionalText('Encoder of this backend') }

/** Every key of the configuration (spec platform 5.2), with its default and what it means. */
export const configSchema = z.object({
  host_id: text('', 'Identity of the daemon; the name of the host when empty'),
  data_dir: text(
    '',
    'Where state is kept; /var/lib/skydive for root, else $XDG_STATE_HOME/skydive or ~/.local/state/skydive when empty',
  ),
  tls: section({
    client_cert: optionalText('Certificate of outgoing connections'),
    client_key: optionalText('Key of client_cert'),
    server_cert: optionalText('Certificate of the listener'),
    server_key: optionalText('Key of server_cert'),
    ca_cert: optionalText('CA for both directions'),
    require_client_cert: flag(false, 'The listener demands a client certificate'),
  }),
  http: section({
    insecure_listen: flag(false, 'Accept to listen beyond loopback without authentication'),
    allowed_origins: list([], 'Origins of pages of other hosts that may use the API'),
    allowed_hosts: list([], 'Further names that the Host header may carry'),
    max_body_bytes: integer(1024 * 1024, 'Longest JSON body'),
    max_pcap_bytes: integer(1024 ** 3, 'Longest uploaded capture file'),
    cookie: textMap('Cookies that the client and agents send besides, for a proxy before the analyzers'),
    rest: section({ debug: flag(false, 'Unused') }),
    ws: section({
      ping_delay: seconds(2, 'Between pings'),
      pong_timeout: seconds(5, 'Added to ping_delay for the read deadline'),
      queue_size: integer(10_000, 'Messages that may wait for one slow connection'),
      enable_write_compression: flag(true, 'Unused: messages are never compressed per connection'),
      bulk_maxmsgs: integer(100, 'Unused'),
      bulk_maxdelay: integer(2, 'Unused'),
    }),
  }),
  analyzers: list([], 'Addresses of all analyzers'),
  analyzer: analyzerSchema,
  agent: agentSchema,
  plugin: section({
    plugins_dir: optionalText('Unused: see agent.topology.modules'),
    topology: section({ probes: list([], 'Unused: see agent.topology.modules') }),
  }),
  dpdk: section({
    ports: optionalList('Ports'),
    workers: optionalInteger('Worker threads'),
    debug: optionalInteger('Debug period'),
  }),
  ovs: section({
    ovsdb: text('unix:///var/run/openvswitch/db.sock', 'addr:port, tcp://… or unix://…'),
    enable_stats: flag(false, 'Statistics of ports'),
    oflow: section({
      enable: flag(false, 'OpenFlow rules in the topology'),
      native: flag(false, 'Speak OpenFlow instead of running ovs-ofctl'),
      openflow_versions: list(['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14'], 'Versions to offer'),
      key: optionalText('TLS key for remote bridges'),
      cert: optionalText('TLS certificate for remote bridges'),
      ca: optionalText('TLS CA for remote bridges'),
      address: textMap('Bridge name to address'),
    }),
  }),
  opencontrail: section({
    host: text('localhost', 'Host of the vRouter agent'),
    port: integer(8085, 'Port of the vRouter agent'),
    mpls_udp_port: integer(51_234, 'Port of MPLS over UDP'),
  }),
  flow: section({
    expire: seconds(600, 'Idle flows are removed after'),
    update: seconds(60, 'Period in which flows are sent'),
    protocol: choice(
      ['udp', 'websocket'],
      'websocket',
      'How flows travel: websocket is acknowledged; udp is a datagram a flow, unacknowledged and in the clear',
    ),
    max_entries: integer(500_000, 'Flows in a table of an agent'),
    default_layer_key_mode: choice(['L2', 'L3'], 'L2', 'What tells flows apart'),
    application_ports: section({
      tcp: textMap('Port to name of the application'),
      udp: textMap('Port to name of the application'),
    }),
    application_timeout: z
      .record(z.string(), z.number())
      .default({ arp: 10, dns: 10 })
      .describe('Shorter expiry of an application, seconds'),
  }),
  storage: z.record(z.string(), storeSchema).describe('Stores by name'),
  logging: section({
    backends: list(['stderr'], 'stderr stdout file syslog'),
    level: choice(levels, 'INFO', 'DEBUG INFO WARN ERROR'),
    color: flag(true, 'Colours on a terminal'),
    encoder: choice(['', 'json'], '', 'Empty for people, json for machines'),
    id: optionalText('Prefix of lines'),
    file: section({ path: text('/var/log/skydive.log', 'Appended to'), ...perBackend }),
    stderr: section(perBackend),
    stdout: section(perBackend),
    syslog: section({
      address: text('/dev/log', 'Socket or host:port'),
      protocol: text('unixgram', 'unixgram or udp'),
      tag: text('skydive', 'Tag of lines'),
      ...perBackend,
    }),
  }),
  auth: z.record(z.string(), authSchema).describe('Authentication backends by name'),
  etcd: section({
    embedded: flag(true, 'Keep API objects in the embedded store'),
    listen: text('127.0.0.1:12379', 'Unused: the embedded store has no listener'),
    data_dir: text('/var/lib/skydive/etcd', 'Unused: see data_dir'),
    max_wal_files: z.number().int().min(0).default(5).describe('Unused'),
    max_snap_files: z.number().int().min(0).default(5).describe('Unused'),
    name: optionalText('Unused'),
    peers: textMap('Unused'),
    servers: list([], 'Addresses of an etcd cluster, used when embedded is false'),
    client_timeout: seconds(5, 'Time for a request'),
    debug: flag(false, 'Log requests'),
  }),
  cache: section({ expire: integer(300, 'Unused'), cleanup: integer(30, 'Unused') }),
  ui: z
    .looseObject({
      extra_assets: optionalText('Folder of JS and CSS'),
      theme: optionalText('dark or light'),
      topology: z
        .looseObject({
          favorites: z.record(z.string(), z.string()).optional().describe('Name to Gremlin'),
          default_filter: optionalText('Name of a favourite'),
          default_highlight: optionalText('Name of a favourite'),
        })
        .optional(),
      bandwidth_update_rate: optionalNumber('Seconds'),
      bandwidth_threshold: optionalText('absolute or relative'),
      bpf: z.looseObject({ favorites: z.record(z.string(), z.string()).optional().describe('Name to BPF') }).optional(),
    })
    .default({})
    .describe('Free map for the page'),
  rbac: section({
    model: section({
      request_definition: list(['sub, obj, act'], 'Request'),
      policy_definition: list(['sub, obj, act, eft'], 'Policy'),
      role_definition: list(['_, _'], 'Role'),
      policy_effect: list(['some(where (p_eft == allow)) && !some(where (p_eft == deny))'], 'Effect'),
      matchers: list(['g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act'], 'Matchers'),
    }),
    policy: list([], 'Further lines of policy'),
  }),
})

/** The whole configuration, defaults filled in. */
export type ConfigValues = z.infer<typeof configSchema>

/** Sections of `auth` that need not be declared. */
export const PREDEFINED_AUTH = { noauth: { type: 'noauth' }, basic: { type: 'basic' }, keystone: { type: 'keystone' } } as const

/** The keys of one section of `auth`. */
export { authSchema }
