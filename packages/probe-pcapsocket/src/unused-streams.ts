import { type MetadataObject, SkydiveError } from '@skydive/contracts'
import { LINK_TYPE } from '@skydive/packet'

/** Link types that flows are made of. */
const KNOWN_LINK_TYPES: ReadonlySet<number> = new Set(Object.values(LINK_TYPE))
/** Link types that are told; a sender may make up thousands. */
const MAX_FOREIGN = 16

/** How far a stream had come when it failed. */
export interface FailedStream {
  /** Whether its sender had ended it. */
  readonly isOver: boolean
  readonly hasPackets: boolean
}

/** What streams could not be used for, by its cause, as the capture shows it. */
export class UnusedStreams {
  readonly #counts = { CutStreams: 0, DamagedStreams: 0, ForeignStreams: 0, StreamsWithoutFilter: 0 }
  readonly #foreignLinkTypes = new Set<number>()

  /** Hears of every link type that comes: no flow is made of packets of a foreign one. */
  seeLinkType(linkType: number): void {
    if (!KNOWN_LINK_TYPES.has(linkType) && this.#foreignLinkTypes.size < MAX_FOREIGN) this.#foreignLinkTypes.add(linkType)
  }

  /** Counts a stream that ended by `error`. @throws the error, when it is a fault of ours. */
  count(error: unknown, { isOver, hasPackets }: FailedStream): void {
    if (!SkydiveError.isInstance(error)) throw error
    if (isOver) this.#counts.CutStreams++
    else if (error.code !== 'ERR_DECODE') this.#counts.StreamsWithoutFilter++
    else if (hasPackets) this.#counts.DamagedStreams++
    else this.#counts.ForeignStreams++
  }

  /** Members of the capture: `{ Unused: { CutStreams: 1 }, ForeignLinkTypes: [147] }`; what did not happen is left out. */
  describe(): MetadataObject {
    const unused = Object.entries(this.#counts).filter(([, streams]) => streams > 0)
    return {
      ...(unused.length > 0 && { Unused: Object.fromEntries(unused) }),
      ...(this.#foreignLinkTypes.size > 0 && { ForeignLinkTypes: [...this.#foreignLinkTypes] }),
    }
  }
}
