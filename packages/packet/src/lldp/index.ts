/**
 * Link Layer Discovery Protocol (IEEE 802.1AB): what a switch tells of itself and of the port that a frame came from.
 *
 * @packageDocumentation
 */

export type { LldpDecoding } from './decoder.ts'
export { decodeLldp } from './decoder.ts'
export type {
  LldpAddress,
  LldpCapability,
  LldpIdentifier,
  LldpLinkAggregation,
  LldpMessage,
  LldpOrganizationTlv,
  LldpProtocolVlan,
  LldpVlanName,
} from './message.ts'
