import type { CaptureAnswer } from '@skydive/client'
import { InvalidArgumentError } from '@skydive/contracts'
import { Command } from 'commander'
import { type CliStreams, collect } from '../cli.ts'
import { extraLayerMask } from '../extra-layers.ts'
import { connect } from './connection.ts'
import { parseInteger } from './option-values.ts'
import { asText, printAnswer, type Rendering } from './output.ts'

interface CreateOptions {
  readonly gremlin?: string
  readonly node?: string
  readonly bpf?: string
  readonly name?: string
  readonly description?: string
  readonly type?: string
  readonly port?: number
  readonly samplingrate: number
  readonly pollinginterval: number
  readonly headerSize: number
  readonly rawpacketLimit: number
  readonly extraTcpMetric?: boolean
  readonly ipDefrag?: boolean
  readonly reassembleTcp?: boolean
  readonly reassambleTcp?: boolean
  readonly layerKeyMode: string
  readonly extraLayer: readonly string[]
  readonly target?: string
  readonly targetType?: string
  readonly ttl?: number
}

/** `client capture create|list|get|delete`. */
export function captureCommand(streams: CliStreams): Command {
  const capture = new Command('capture').description('captures of traffic')

  capture
    .command('create')
    .description('capture on every node that a query finds, now and later')
    .option('--gremlin <query>', 'which nodes')
    .option('--node <tid>', 'one node, by its TID')
    .option('--bpf <expression>', 'only packets that this matches')
    .option('--name <name>', 'name of the capture')
    .option('--description <text>', 'description of the capture')
    .option('--type <type>', 'type of the capture; chosen by the node when absent')
    .option('--port <port>', 'port of the collector', parseInteger)
    .option('--samplingrate <n>', 'sFlow: one packet in n', parseInteger, 1)
    .option('--pollinginterval <seconds>', 'sFlow: period of counters', parseInteger, 10)
    .option('--header-size <bytes>', 'bytes kept of a packet', parseInteger, 0)
    .option('--rawpacket-limit <n>', 'packets kept of a flow, up to 10', parseInteger, 0)
    .option('--extra-tcp-metric', 'times and hop limits of SYN, times of FIN and RST')
    .option('--ip-defrag', 'put IPv4 fragments together')
    .option('--reassemble-tcp', 'put TCP streams together')
    .option('--reassamble-tcp', 'as --reassemble-tcp, for old scripts')
    .option('--layer-key-mode <mode>', 'what tells flows apart: L2 or L3', 'L2')
    .option('--extra-layer <layer>', 'VRRP, DNS, DHCPv4 or ALL; may be repeated', collect, [])
    .option('--target <address>', 'where flows or packets go instead: host:port, or the IPv4 address of an ERSPAN receiver')
    .option('--target-type <type>', 'what goes there: netflowv5 or ipfix (flows), erspanv1 (packets)')
    .option('--ttl <ms>', 'delete the capture after so many milliseconds', parseInteger)
    .action(async (options: CreateOptions, command: Command) => {
      const init = toCapture(options)
      const { client } = await connect(command, streams)
      const created = await client.captures.create(init, options.ttl === undefined ? {} : { ttl: `${options.ttl}ms` })
      printAnswer(command, streams, created, () => asText(created))
    })

  capture
    .command('list')
    .description('all captures')
    .action(async (_options: object, command: Command) => {
      const { client } = await connect(command, streams)
      const captures = await client.captures.list()
      printAnswer(command, streams, captures, () => renderCaptures(Object.values(captures)))
    })

  capture
    .command('get')
    .description('one capture')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { client } = await connect(command, streams)
      const found = await client.captures.get(id)
      printAnswer(command, streams, found, () => asText(found))
    })

  capture
    .command('delete')
    .description('stop and delete captures')
    .argument('<id...>')
    .action(async (ids: string[], _options: object, command: Command) => {
      const { client } = await connect(command, streams)
      for (const id of ids) await client.captures.delete(id)
    })

  return capture
}

function toCapture(options: CreateOptions) {
  const { gremlin, node } = options
  if (gremlin !== undefined && node !== undefined) throw new InvalidArgumentError('give --gremlin or --node, not both')
  const query = node === undefined ? gremlin : `G.V().Has('TID', '${node.replaceAll("'", "\\'")}')`
  if (query === undefined)
    throw new InvalidArgumentError("which nodes? give --gremlin \"G.V().Has('Name','eth0')\" or --node <tid>")
  const layers = extraLayerMask(options.extraLayer)
  return {
    GremlinQuery: query,
    ...(options.bpf && { BPFFilter: options.bpf }),
    ...(options.name && { Name: options.name }),
    ...(options.description && { Description: options.description }),
    ...(options.type && { Type: options.type }),
    ...(options.port !== undefined && { Port: options.port }),
    SamplingRate: options.samplingrate,
    PollingInterval: options.pollinginterval,
    ...(options.headerSize !== 0 && { HeaderSize: options.headerSize }),
    ...(options.rawpacketLimit !== 0 && { RawPacketLimit: options.rawpacketLimit }),
    ExtraTCPMetric: options.extraTcpMetric === true,
    IPDefrag: options.ipDefrag === true,
    ReassembleTCP: options.reassembleTcp === true || options.reassambleTcp === true,
    LayerKeyMode: options.layerKeyMode,
    ...(layers !== 0 && { ExtraLayers: layers }),
    ...(options.target && { Target: options.target }),
    ...(options.targetType && { TargetType: options.targetType }),
  }
}

function renderCaptures(captures: readonly CaptureAnswer[]): Rendering {
  return {
    kind: 'table',
    columns: ['name', 'query', 'bpf', 'type', 'active', 'refused', 'reason', 'id'],
    rows: captures.map(({ Refusals = [], ...item }) => ({
      name: String(item['Name'] ?? ''),
      query: item.GremlinQuery,
      bpf: String(item['BPFFilter'] ?? ''),
      type: String(item['Type'] ?? ''),
      active: item.Count,
      refused: Refusals.length || undefined,
      reason: Refusals[0]?.Reason,
      id: item.UUID,
    })),
    empty: 'no captures',
  }
}
