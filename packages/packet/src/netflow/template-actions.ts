import { REVERSE_ENTERPRISE } from './elements.ts'
import { FIELD } from './record.ts'

/** The length of a field whose records say it themselves (RFC 7011, chapter 7). */
export const VARIABLE_LENGTH = 65535

/** One field of a template. `enterprise` is 0 for IANA's elements; `isScope` says that the number is none of an element (NetFlow 9). */
export interface TemplateField {
  readonly element: number
  readonly enterprise: number
  readonly bytes: number
  readonly isForeignScope?: boolean
}

// What is done with a field: below FIRST_SPECIAL an unsigned number for this place of the values.
export const FIRST_SPECIAL = 64
export const SKIP = 64
export const SOURCE_IPV4 = 65
export const DESTINATION_IPV4 = 66
export const SOURCE_IPV6 = 67
export const DESTINATION_IPV6 = 68
export const START_SECONDS = 69
export const END_SECONDS = 70
export const START_NTP = 71
export const END_NTP = 72
export const START_DELTA_US = 73
export const END_DELTA_US = 74
export const DURATION_US = 75
export const FLOAT_PROBABILITY = 76

/** Actions by number of the information element. Elements of which a flow has no member are skipped. */
const ACTIONS: ReadonlyMap<number, number> = new Map<number, number>([
  [1, FIELD.BYTES],
  [2, FIELD.PACKETS],
  [4, FIELD.PROTOCOL],
  [5, FIELD.TYPE_OF_SERVICE],
  [6, FIELD.TCP_FLAGS],
  [7, FIELD.SOURCE_PORT],
  [8, SOURCE_IPV4],
  [10, FIELD.INPUT_INDEX],
  [11, FIELD.DESTINATION_PORT],
  [12, DESTINATION_IPV4],
  [14, FIELD.OUTPUT_INDEX],
  [21, FIELD.END_UPTIME_MS],
  [22, FIELD.START_UPTIME_MS],
  [27, SOURCE_IPV6],
  [28, DESTINATION_IPV6],
  [32, FIELD.ICMP_TYPE_CODE],
  [34, FIELD.SAMPLING_INTERVAL],
  [48, FIELD.SAMPLER_ID],
  [50, FIELD.SAMPLING_INTERVAL],
  [56, FIELD.SOURCE_MAC],
  [58, FIELD.VLAN_ID],
  [61, FIELD.DIRECTION],
  [80, FIELD.DESTINATION_MAC],
  [85, FIELD.TOTAL_BYTES],
  [86, FIELD.TOTAL_PACKETS],
  [136, FIELD.END_REASON],
  [139, FIELD.ICMP_TYPE_CODE],
  [150, START_SECONDS],
  [151, END_SECONDS],
  [152, FIELD.START_MS],
  [153, FIELD.END_MS],
  [154, START_NTP],
  [155, END_NTP],
  [156, START_NTP],
  [157, END_NTP],
  [158, START_DELTA_US],
  [159, END_DELTA_US],
  [160, FIELD.SYSTEM_INIT_MS],
  [161, FIELD.DURATION_MS],
  [162, DURATION_US],
  [176, FIELD.ICMP_TYPE],
  [177, FIELD.ICMP_CODE],
  [178, FIELD.ICMP_TYPE],
  [179, FIELD.ICMP_CODE],
  [180, FIELD.SOURCE_PORT],
  [181, FIELD.DESTINATION_PORT],
  [182, FIELD.SOURCE_PORT],
  [183, FIELD.DESTINATION_PORT],
  [231, FIELD.BYTES],
  [232, FIELD.REVERSE_BYTES],
  [243, FIELD.VLAN_ID],
  [298, FIELD.PACKETS],
  [299, FIELD.REVERSE_PACKETS],
  [302, FIELD.SAMPLER_ID],
  [305, FIELD.SAMPLING_PACKET_INTERVAL],
  [306, FIELD.SAMPLING_PACKET_SPACE],
  [309, FIELD.SAMPLING_SIZE],
  [310, FIELD.SAMPLING_POPULATION],
  [311, FLOAT_PROBABILITY],
])

/** Elements of the way back (RFC 5103). */
const REVERSE_ACTIONS: ReadonlyMap<number, number> = new Map<number, number>([
  [1, FIELD.REVERSE_BYTES],
  [2, FIELD.REVERSE_PACKETS],
  [6, FIELD.REVERSE_TCP_FLAGS],
])

/** Actions that write an address, and its version. */
export const VERSIONS: ReadonlyMap<number, number> = new Map([
  [SOURCE_IPV4, 4],
  [DESTINATION_IPV4, 4],
  [SOURCE_IPV6, 6],
  [DESTINATION_IPV6, 6],
])

/** Places that tell how a record was sampled, of {@link FIELD}. */
export const SAMPLING: ReadonlySet<number> = new Set([
  FIELD.SAMPLING_INTERVAL,
  FIELD.SAMPLING_PACKET_INTERVAL,
  FIELD.SAMPLING_PACKET_SPACE,
  FIELD.SAMPLING_SIZE,
  FIELD.SAMPLING_POPULATION,
])

/** Lengths that an element with a special action must have. */
const EXACT_BYTES: ReadonlyMap<number, number> = new Map([
  [SOURCE_IPV4, 4],
  [DESTINATION_IPV4, 4],
  [SOURCE_IPV6, 16],
  [DESTINATION_IPV6, 16],
  [START_NTP, 8],
  [END_NTP, 8],
  [FLOAT_PROBABILITY, 8],
])

/** What is done with a field. Foreign elements, and lengths that an element can't have, are skipped. */
export function actionOf({ element, enterprise, bytes, isForeignScope }: TemplateField): number {
  if (isForeignScope) return SKIP
  const action = enterprise === 0 ? ACTIONS.get(element) : enterprise === REVERSE_ENTERPRISE ? REVERSE_ACTIONS.get(element) : SKIP
  if (action === undefined) return SKIP
  return bytes === VARIABLE_LENGTH || isReadable(action, bytes) ? action : SKIP
}

/** Numbers may be sent shorter than their type is (RFC 7011, chapter 6.2), addresses may not. */
export function isReadable(action: number, bytes: number): boolean {
  const exact = EXACT_BYTES.get(action)
  return exact === undefined ? bytes >= 1 && bytes <= 8 : bytes === exact
}
