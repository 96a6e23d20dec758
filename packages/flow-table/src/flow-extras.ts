import { type Flow, InvalidArgumentError, type IpMetric } from '@skydive/contracts'
import { ExtraLayers } from './extra-layers.ts'
import type { FlowTableOptions } from './flow-table.ts'
import { TcpStreams } from './tcp-streams.ts'

const MAX_MASK = 255
const NO_FRAGMENTS: IpMetric = { Fragments: 0, FragmentErrors: 0 }

/** What few captures ask for, by the flow's number: it is not in the columns, and flows that have it are written from objects. */
export class FlowExtras {
  readonly streams: TcpStreams | undefined
  readonly layers: ExtraLayers | undefined
  /** Whether a flow may have any of it. */
  readonly isUsed: boolean
  readonly #fragments = new Map<number, IpMetric>()

  /** @throws ERR_INVALID_ARGUMENT for a mask that is none. */
  constructor({ ipDefrag = false, reassembleTcp = false, extraLayers = 0 }: FlowTableOptions) {
    if (!Number.isInteger(extraLayers) || extraLayers < 0 || extraLayers > MAX_MASK) {
      throw new InvalidArgumentError(`extraLayers: ${extraLayers} is no mask; give a sum of EXTRA_LAYERS, 0 to ${MAX_MASK}`, {
        extraLayers,
      })
    }
    this.streams = reassembleTcp ? new TcpStreams() : undefined
    this.layers = extraLayers === 0 ? undefined : new ExtraLayers(extraLayers)
    this.isUsed = ipDefrag || reassembleTcp || extraLayers !== 0
  }

  /** Whether every packet of a flow has to be looked at once more. */
  get followsPackets(): boolean {
    return this.streams !== undefined || this.layers?.followsDns === true
  }

  addFragments(id: number, fragments: number, errors: number): void {
    const { Fragments, FragmentErrors } = this.ipMetric(id)
    this.#fragments.set(id, { Fragments: Fragments + fragments, FragmentErrors: FragmentErrors + errors })
  }

  ipMetric(id: number): IpMetric {
    return this.#fragments.get(id) ?? NO_FRAGMENTS
  }

  /** The extra layers that a flow has. */
  members(id: number): Pick<Flow, 'DNS' | 'DHCPv4' | 'VRRPv2'> {
    return this.layers?.members(id) ?? {}
  }

  forget(id: number): void {
    if (!this.isUsed) return
    this.streams?.forget(id)
    this.layers?.forget(id)
    this.#fragments.delete(id)
  }
}
