import { CancelledError, DecodeError, LimitError, UnavailableError } from '@skydive/contracts'
import { createFlowTable, type LayerKeyMode } from '@skydive/flow-table'
import { createCaptureFileReader, LINK_TYPE } from '@skydive/packet'
import type { FlowPipeline } from './flow-pipeline.ts'

/** Uploads that are read at a time; more are told to come back. */
const MAX_IMPORTS = 4
const KNOWN_LINK_TYPES: ReadonlySet<number> = new Set(Object.values(LINK_TYPE))

/** How uploaded capture files become flows. */
export interface PcapImportOptions {
  readonly pipeline: Pick<FlowPipeline, 'importFlows'>
  /** Flows of one file, all held until its end (`flow.max_entries`). @default 500000 */
  readonly maxFlows?: number
  /** `flow.default_layer_key_mode`. @default 'L2' */
  readonly layerKeyMode?: LayerKeyMode
}

/** Takes one capture file as it comes in. */
export type PcapImport = (bytes: AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }) => Promise<void>

/**
 * Makes the import of capture files (spec flows 7.5): the packets go through a table of their own with their own times, and when the file is
 * whole all flows go to the store. A file that is none, or is cut, leaves nothing behind.
 *
 * The returned function rejects with ERR_DECODE for a file that is foreign, damaged, cut or of link types of which no flows are made, ERR_LIMIT for one with too many flows,
 * ERR_UNAVAILABLE while {@link MAX_IMPORTS} others are read or when the store has no room, where part of the flows may be stored (once, however
 * often the file comes again), ERR_CANCELLED when the sender gave up; it resolves when the flows are stored.
 */
export function createPcapImport({ pipeline, maxFlows = 500_000, layerKeyMode = 'L2' }: PcapImportOptions): PcapImport {
  let running = 0

  const importOne: PcapImport = async (bytes, { signal }) => {
    let evicted = false
    const table = createFlowTable({
      layerKeyMode,
      maxFlows,
      onEvicted: () => {
        evicted = true
      },
    })
    let consume: ReturnType<typeof table.consumer> | undefined
    let consumed: unknown
    const linkTypes = new Set<number>()
    const reader = createCaptureFileReader((buffer, offset, byteLength, format) => {
      if (!consume || format !== consumed) {
        consumed = format
        linkTypes.add(format.linkType)
        consume = table.consumer(format)
      }
      return consume(buffer, offset, byteLength)
    })
    for await (const piece of bytes) {
      if (signal.aborted) throw new CancelledError('the upload of the capture file was broken off')
      reader.push(piece)
      if (evicted) {
        throw new LimitError(`the capture file has more than ${maxFlows} flows; split it`, 'flow.max_entries', { maxFlows })
      }
    }
    reader.end()
    // A file without packets is one, and so is one that has others besides.
    if (linkTypes.size > 0 && [...linkTypes].every((linkType) => !KNOWN_LINK_TYPES.has(linkType))) {
      throw new DecodeError(`no flows are made of packets of link type ${[...linkTypes].join(', ')}`, 0)
    }
    for (const flows of table.drain()) await pipeline.importFlows(flows)
  }

  return async (bytes, options) => {
    if (running >= MAX_IMPORTS) {
      throw new UnavailableError(`${MAX_IMPORTS} capture files are being read already; try again later`, { retryable: true })
    }
    running++
    try {
      await importOne(bytes, options)
    } finally {
      running--
    }
  }
}
