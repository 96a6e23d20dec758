import { InvalidArgumentError, SkydiveError } from '@skydive/contracts'
import type { Command } from 'commander'
import { type CliStreams, collect } from '../cli.ts'
import { ExitStatus } from '../exit-status.ts'
import { extraLayerMask } from '../extra-layers.ts'

interface FlowsFlags {
  readonly json?: boolean
  readonly csv?: boolean
  readonly binary?: boolean
  readonly extraTcpMetric?: boolean
  readonly ipDefrag?: boolean
  readonly reassembleTcp?: boolean
  readonly extraLayer: readonly string[]
  readonly mplsUdpPort: readonly string[]
  readonly layerKeyMode: string
  readonly bpf?: string
}

/** `skydive flows FILE…`: packets to flows, without any server. */
export function addFlows(program: Command, streams: CliStreams): void {
  program
    .command('flows')
    .description('print the flows of capture files (pcap, pcapng; - is standard input); needs no server')
    .argument('<file...>', 'capture files')
    .option('--json', 'one JSON object a line (the default when the output is no terminal)')
    .option('--csv', 'comma-separated values with a head line')
    .option('--binary', 'protobuf flows, each with its length before it')
    .option('--extra-tcp-metric', 'times of SYN, FIN and RST')
    .option('--ip-defrag', 'put IP fragments together')
    .option('--reassemble-tcp', 'bytes, gaps and disorder of each direction of TCP connections')
    .option('--extra-layer <layer>', 'VRRP, DNS, DHCPv4 or ALL; may be repeated', collect, [])
    .option('--mpls-udp-port <port>', 'UDP port that carries MPLS; may be repeated', collect, [])
    .option('--layer-key-mode <mode>', 'what tells flows apart: L2 or L3', 'L2')
    .option('--bpf <expression>', 'only packets that match, such as "port 80"')
    .action(async (files: string[], flags: FlowsFlags) => {
      await printFlows(files, flags, streams)
    })
}

function formatOf({ json, csv, binary }: FlowsFlags, isTerminal: boolean): 'table' | 'json' | 'csv' | 'binary' {
  const asked = [json && 'json', csv && 'csv', binary && 'binary'].filter((name) => name !== undefined && name !== false)
  if (asked.length > 1)
    throw new InvalidArgumentError(`--${asked.join(' and --')} exclude each other: give one`, { formats: asked })
  if (asked.length === 1) return asked[0] as 'json' | 'csv' | 'binary'
  return isTerminal ? 'table' : 'json'
}

const MAX_PORT = 65_535

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > MAX_PORT)
    throw new InvalidArgumentError(`--mpls-udp-port: ${JSON.stringify(text)} is no port: give 1 to ${MAX_PORT}`, { value: text })
  return port
}

async function printFlows(files: readonly string[], flags: FlowsFlags, { stdout, stderr }: CliStreams): Promise<void> {
  const mode = flags.layerKeyMode.toUpperCase()
  if (mode !== 'L2' && mode !== 'L3') {
    throw new InvalidArgumentError(`--layer-key-mode: ${JSON.stringify(flags.layerKeyMode)} is no mode: give L2 or L3`, {
      value: flags.layerKeyMode,
    })
  }
  const format = formatOf(flags, stdout.isTTY === true)
  const extraLayers = extraLayerMask(flags.extraLayer)
  const mplsUdpPorts = flags.mplsUdpPort.map(parsePort)
  const { flowsOfFile } = await import('@skydive/capture/flow-file')
  // A reader that has seen enough (`| head`) needs no further file.
  let closed = false
  stdout.once('error', () => {
    closed = true
  })
  let damaged = false
  for (const file of files) {
    if (closed) break
    const { damage } = await flowsOfFile({
      file,
      // Node loads what reads it when it is first asked for.
      ...(file === '-' && { input: process.stdin }),
      output: stdout,
      format,
      layerKeyMode: mode,
      ...(flags.extraTcpMetric && { extraTcpMetric: true }),
      ...(flags.ipDefrag && { ipDefrag: true }),
      ...(flags.reassembleTcp && { reassembleTcp: true }),
      extraLayers,
      mplsUdpPorts,
      ...(flags.bpf !== undefined && { bpf: flags.bpf }),
    }).catch((error: unknown) => {
      throw SkydiveError.isInstance(error, 'ERR_DECODE')
        ? new InvalidArgumentError(`${file}: ${error.message}`, { file }, error)
        : error
    })
    if (!damage) continue
    stderr.write(`skydive: ${file}: ${damage.message}; what came before was read\n`)
    damaged = true
  }
  if (damaged) throw new ExitStatus(1)
}
