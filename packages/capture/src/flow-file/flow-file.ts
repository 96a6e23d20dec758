import type { Readable, Writable } from 'node:stream'
import { type SkydiveError, UnavailableError } from '@skydive/contracts'
import { createFlowTable, type LayerKeyMode } from '@skydive/flow-table'
import { createPacketFilter, decodeBpfProgram, LINK_TYPE, type PacketFilter } from '@skydive/packet'
import { createFlowFormatter, type FlowFormat } from './flow-format.ts'
import { readPackets } from './read-packets.ts'
import { openInput } from './read-pieces.ts'

/** Compiles a filter expression to classic BPF, 8 bytes an instruction. `Kernel.compileBpf` of `@skydive/kernel` is one. */
export type BpfCompile = (expression: string, options: { linkType: number; snapLength: number }) => Uint8Array

/** What {@link flowsOfFile} is asked. */
export interface FlowFileOptions {
  /** A path of a pcap or pcapng file, or `-` for `input`. */
  readonly file: string
  /** Where `-` reads from. */
  readonly input?: Readable
  /** Where the flows go. It is not ended. */
  readonly output: Writable
  readonly format: FlowFormat
  /** The output has flows already, with the head of the format: these go on below them. */
  readonly isContinued?: boolean
  readonly extraTcpMetric?: boolean
  /** Puts IP fragments together. */
  readonly ipDefrag?: boolean
  /** Follows TCP connections by their sequence numbers. */
  readonly reassembleTcp?: boolean
  /** A sum of `EXTRA_LAYERS`: which of DNS, DHCPv4 and VRRP flows show. */
  readonly extraLayers?: number
  /** UDP ports that carry MPLS. */
  readonly mplsUdpPorts?: readonly number[]
  readonly layerKeyMode?: LayerKeyMode
  /** A libpcap expression; packets that do not match are left out. */
  readonly bpf?: string
  /** Compiles `bpf`; by default libpcap through `@skydive/kernel`, loaded when it is needed. */
  readonly compileBpf?: BpfCompile
  /** Flows held at once; beyond it the oldest are written early. Default 16 million. */
  readonly maxFlows?: number
}

/** What was read and written. */
export interface FlowFileSummary {
  readonly packets: number
  readonly flows: number
  readonly filteredPackets: number
  readonly ignoredPackets: number
  readonly bytesRead: number
  /** Link types of packets of which no flows can be made; absent without such packets. */
  readonly foreignLinkTypes?: readonly number[]
  /** The file is cut or damaged at `damage.fields.offset`; everything before it is in the figures and was written. */
  readonly damage?: SkydiveError
}

const KNOWN_LINK_TYPES: ReadonlySet<number> = new Set(Object.values(LINK_TYPE))
const DEFAULT_MAX_FLOWS = 16_000_000
const FILTER_SNAP_LENGTH = 262_144

/**
 * Reads a capture file and writes its flows, in the order of their first packets. However long the file is, it takes a MiB or so.
 *
 * @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_UNAVAILABLE (it can't be read), ERR_INVALID_ARGUMENT (a directory, a bad filter), ERR_UNSUPPORTED (a filter
 * without libpcap), ERR_DECODE when it is no capture file at all. A file that is cut or damaged later on is no exception but `damage` in the summary.
 */
export async function flowsOfFile(options: FlowFileOptions): Promise<FlowFileSummary> {
  const formatter = createFlowFormatter(options.format)
  const evicted: string[] | Uint8Array[] = []
  const filter = options.bpf ? await createFileFilter(options.bpf, options.compileBpf ?? (await defaultCompiler())) : undefined
  const table = createFlowTable({
    extraTcpMetric: options.extraTcpMetric ?? false,
    layerKeyMode: options.layerKeyMode ?? 'L2',
    ipDefrag: options.ipDefrag ?? false,
    reassembleTcp: options.reassembleTcp ?? false,
    extraLayers: options.extraLayers ?? 0,
    mplsUdpPorts: options.mplsUdpPorts ?? [],
    maxFlows: options.maxFlows ?? DEFAULT_MAX_FLOWS,
    ...(filter && { filter: filter.matches }),
    // A file was written before anybody could know what this process draws.
    random: Math.random,
    onEvicted: (flows) => void (evicted as unknown[]).push(formatter.flows(flows)),
  })
  const input = await openInput(options.file, options.input)
  const foreign = new Set<number>()
  const onLinkType = (linkType: number): void => {
    // libpcap compiles no filter for most of the others, and their packets give nothing with any.
    if (KNOWN_LINK_TYPES.has(linkType)) filter?.use(linkType)
    else foreign.add(linkType)
  }
  const { bytesRead, damage } = await readPackets(table, input, onLinkType)
    .catch((error: unknown) => {
      throw readError(options.file, error)
    })
    .finally(() => input.close())
  table.finishStreams()

  if (!options.isContinued) await write(options.output, formatter.head())
  for (const text of evicted) await write(options.output, text)
  // Protobuf comes straight from the table's columns; the other formats are made of objects.
  if (options.format === 'binary') for (const chunk of table.snapshotAsProtobuf()) await write(options.output, chunk)
  else for (const batch of table.snapshot()) await write(options.output, formatter.flows(batch))
  await write(options.output, formatter.tail())
  const { packets, flows, filteredPackets, ignoredPackets, evictedFlows } = table.stats()
  const told = { ...(foreign.size > 0 && { foreignLinkTypes: [...foreign] }), ...(damage && { damage }) }
  return { packets, flows: flows + evictedFlows, filteredPackets, ignoredPackets, bytesRead, ...told }
}

/** What the kernel says of a file that can't be read, such as a disk with a fault; other errors as they are. */
function readError(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall !== 'read') return error
  return new UnavailableError(`file "${file}": it can't be read (${code})`, { retryable: false, fields: { file }, cause: error })
}

/** A filter that is compiled for each link type that the file turns out to have. */
async function createFileFilter(expression: string, compile: BpfCompile) {
  const programs = new Map<number, PacketFilter>()
  const forLinkType = (linkType: number) => {
    const known = programs.get(linkType)
    if (known) return known
    const program = createPacketFilter(decodeBpfProgram(compile(expression, { linkType, snapLength: FILTER_SNAP_LENGTH })))
    programs.set(linkType, program)
    return program
  }
  // A bad expression is told before anything is read.
  let now = forLinkType(1)
  const matches: PacketFilter = (view, offset, capturedBytes, wireBytes) => now(view, offset, capturedBytes, wireBytes)
  return {
    matches,
    use(linkType: number) {
      now = forLinkType(linkType)
    },
  }
}

async function defaultCompiler(): Promise<BpfCompile> {
  const { loadBpfCompiler } = await import('@skydive/kernel')
  const compiler = loadBpfCompiler()
  return (expression, options) => compiler.compile(expression, options)
}

async function write(output: Writable, chunk: string | Uint8Array): Promise<void> {
  if (chunk.length === 0 || output.write(chunk)) return
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null) => {
      output.off('drain', done)
      output.off('error', done)
      if (error) reject(error)
      else resolve()
    }
    output.once('drain', done)
    output.once('error', done)
  })
}
