import type { Domain } from './exporter-state.ts'
import { FIELD, type NetflowRecord } from './record.ts'
import type { Template } from './template.ts'

const TWO_TO_32 = 0x100000000

/** What the record leaves open: times by the clock, the rate of its sampler. `uptimeMs` is -1 when the exporter does not say. */
export function complete(record: NetflowRecord, template: Template, domain: Domain, exportMs: number, uptimeMs: number): void {
  const { values } = record
  if (template.hasUptimes) {
    const initMs = values[FIELD.SYSTEM_INIT_MS]! || domain.systemInitMs
    const sinceInitMs = uptimeMs >= 0 ? uptimeMs : initMs > 0 ? (exportMs - initMs) % TWO_TO_32 : -1
    if (sinceInitMs >= 0) {
      // Uptimes start anew after 49.7 days; the difference of the two has the right sign all the same.
      if (values[FIELD.START_MS] === 0) {
        values[FIELD.START_MS] = exportMs - ((sinceInitMs - values[FIELD.START_UPTIME_MS]!) | 0)
      }
      if (values[FIELD.END_MS] === 0) values[FIELD.END_MS] = exportMs - ((sinceInitMs - values[FIELD.END_UPTIME_MS]!) | 0)
    }
  }
  if (values[FIELD.END_MS] === 0) {
    values[FIELD.END_MS] = values[FIELD.START_MS] === 0 ? exportMs : values[FIELD.START_MS]! + values[FIELD.DURATION_MS]!
  }
  if (values[FIELD.START_MS] === 0) values[FIELD.START_MS] = values[FIELD.END_MS]! - values[FIELD.DURATION_MS]!
  const own = template.hasSampling ? rateOf(values) : 0
  record.samplingRate = own > 0 ? own : domain.rateOf(values[FIELD.SAMPLER_ID]!)
}

/** How many packets each one that was looked at stands for, by whichever elements tell it; 0 when none does. */
export function rateOf(values: Float64Array): number {
  const interval = values[FIELD.SAMPLING_INTERVAL]!
  if (interval > 0) return interval
  const packets = values[FIELD.SAMPLING_PACKET_INTERVAL]!
  if (packets > 0) return (packets + values[FIELD.SAMPLING_PACKET_SPACE]!) / packets
  const size = values[FIELD.SAMPLING_SIZE]!
  if (size > 0 && values[FIELD.SAMPLING_POPULATION]! >= size) return values[FIELD.SAMPLING_POPULATION]! / size
  const probability = values[FIELD.SAMPLING_PROBABILITY]!
  return probability > 0 && probability <= 1 ? 1 / probability : 0
}
