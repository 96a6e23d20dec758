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
    .description('print the flows of capture files (pcap, pcapng; - is standard input), each counted by itself; needs no server')
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
/** Not everything that was given became flows. */
const EXIT_PART = 1
/** The caller's fault: there is no such file, or it is none of packets. */
const EXIT_UNREADABLE = 2

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
  const options = {
    output: stdout,
    format,
    layerKeyMode: mode,
    ...(flags.extraTcpMetric && { extraTcpMetric: true }),
    ...(flags.ipDefrag && { ipDefrag: true }),
    ...(flags.reassembleTcp && { reassembleTcp: true }),
    extraLayers,
    mplsUdpPorts,
    ...(flags.bpf !== undefined && { bpf: flags.bpf }),
  } as const
  // A reader that has seen enough (`| head`) needs no further file.
  let closed = false
  stdout.once('error', () => {
    closed = true
  })
  let exitCode = 0
  let hasHead = false
  for (const file of files) {
    if (closed) break
    // Node loads what reads standard input when that is first asked for.
    const read = flowsOfFile({ ...(file === '-' && { input: process.stdin }), ...options, file, isContinued: hasHead })
    try {
      const { damage, foreignLinkTypes = [] } = await read
      hasHead = true
      if (damage) stderr.write(`skydive: ${file}: ${damage.message}; what came before was read\n`)
      for (const linkType of foreignLinkTypes)
        stderr.write(`skydive: ${file}: no flows are made of packets of link type ${linkType}\n`)
      if (damage || foreignLinkTypes.length > 0) exitCode = Math.max(exitCode, EXIT_PART)
    } catch (error) {
      // What is wrong with one file is no reason to leave out the next one.
      const fault = faultOf(file, error)
      stderr.write(`skydive: ${fault.message}\n`)
      exitCode = Math.max(exitCode, fault.exitCode)
    }
  }
  if (exitCode > 0) throw new ExitStatus(exitCode)
}

/** What to say of a file that can't be read. Throws errors that are not of the file. */
function faultOf(file: string, error: unknown): { readonly message: string; readonly exitCode: number } {
  if (SkydiveError.isInstance(error, 'ERR_DECODE')) return { message: `${file}: ${error.message}`, exitCode: EXIT_UNREADABLE }
  if (!SkydiveError.isInstance(error) || error.fields['file'] !== file) throw error
  return { message: error.message, exitCode: error.fault === 'caller' ? EXIT_UNREADABLE : EXIT_PART }
}
