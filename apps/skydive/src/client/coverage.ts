import type { CoverageAnswer } from '@skydive/client'
import { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { connect } from './connection.ts'
import { printAnswer, type Rendering } from './output.ts'
import { formatTable, type Row } from './table.ts'

const CAPTURE_COLUMNS = [
  'host',
  'node',
  'capture',
  'from',
  'to',
  'filter',
  'sampling',
  'packets',
  'dropped',
  'if-dropped',
  'error',
]
const LOSS_COLUMNS = ['host', 'cause', 'capture', 'from', 'to', 'packets', 'flows']

/** `client coverage --from -1h`: what was captured when, and what was lost; "no flow" and "not watched" are different answers. */
export function coverageCommand(streams: CliStreams): Command {
  return new Command('coverage')
    .description('which nodes were captured when, with which filter, and what was lost')
    .option('--from <time>', 'such as -1h, 2026-01-31T12:00:00Z, or ms or s since the epoch', '-1h')
    .option('--to <time>', 'the same', 'now')
    .action(async (options: { readonly from: string; readonly to: string }, command: Command) => {
      const { client } = await connect(command, streams)
      const coverage = await client.coverage(options)
      printAnswer(command, streams, coverage, () => renderCoverage(coverage))
    })
}

/** For people: a sentence, the captures, the losses. */
export function renderCoverage(coverage: CoverageAnswer): Rendering {
  const parts = [sentence(coverage)]
  if (coverage.Captures.length > 0) parts.push(formatTable(CAPTURE_COLUMNS, coverage.Captures.map(captureRow)))
  if (coverage.Losses.length > 0) parts.push(formatTable(LOSS_COLUMNS, coverage.Losses.map(lossRow)))
  return { kind: 'text', text: parts.join('\n\n') }
}

function sentence({ From, To, KnownFrom, Complete, Watched, Lost }: CoverageAnswer): string {
  const window = `${iso(From)} to ${iso(To)}`
  const known = KnownFrom === undefined ? '' : ` Nothing is known before ${iso(KnownFrom)}.`
  if (Complete) return `${window}: watched all the time, nothing lost.${known}`
  const lost =
    Lost.Packets + Lost.Flows === 0 ? 'nothing lost' : `${Lost.Packets} packets and ${Lost.Flows} reports of flows lost`
  return `${window}: watched ${Math.floor(Watched * 1000) / 10} % of the time, ${lost}.${known}`
}

function captureRow(capture: CoverageAnswer['Captures'][number]): Row {
  return {
    host: capture.Host,
    node: capture.NodeName,
    capture: capture.Name ?? capture.ID,
    from: iso(capture.From),
    to: capture.To === undefined ? 'running' : iso(capture.To),
    filter: capture.BPFFilter,
    sampling: capture.SamplingRate === 1 ? undefined : `1 in ${capture.SamplingRate}`,
    packets: capture.PacketsReceived,
    dropped: capture.PacketsDropped,
    // Few interfaces ever drop a packet before it is seen.
    'if-dropped': capture.PacketsIfDropped || undefined,
    error: capture.Error,
  }
}

function lossRow(loss: CoverageAnswer['Losses'][number]): Row {
  return {
    host: loss.Host,
    cause: loss.Cause,
    capture: loss.CaptureID,
    from: iso(loss.From),
    to: iso(loss.To),
    packets: loss.Packets,
    flows: loss.Flows,
  }
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString()
