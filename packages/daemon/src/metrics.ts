import { type Metrics as ContractMetrics, InvariantError } from '@skydive/contracts'
import { Counter, Gauge, Registry } from 'prom-client'
import { addProcessMetrics } from './process-metrics.ts'

/** The instruments of a process and their text for Prometheus. */
export interface MetricsRegistry extends ContractMetrics {
  /** What `/metrics` answers. */
  text(): Promise<string>
}

type Labels = Readonly<Record<string, string>>

/** An instrument is made when it is first used, because only then its labels are known. */
function lazily<T>(make: (labelNames: readonly string[]) => T): (labels: Labels | undefined) => T {
  let made: { instrument: T; names: string } | undefined
  return (labels) => {
    const labelNames = Object.keys(labels ?? {}).sort()
    const names = labelNames.join()
    made ??= { instrument: make(labelNames), names }
    if (made.names !== names) throw new InvariantError(`a metric has the labels ${made.names}, not ${names}`)
    return made.instrument
  }
}

/** Makes an own registry, with the figures of the process itself (CPU, memory, event loop). */
export function createMetrics(): MetricsRegistry {
  const registry = new Registry()
  addProcessMetrics(registry)
  const counters = new Map<string, ReturnType<ContractMetrics['counter']>>()
  const gauges = new Map<string, ReturnType<ContractMetrics['gauge']>>()
  return {
    counter(name, help) {
      let counter = counters.get(name)
      if (counter === undefined) {
        const instrument = lazily((labelNames) => new Counter({ name, help, labelNames: [...labelNames], registers: [registry] }))
        counter = { add: (value, labels) => instrument(labels).inc({ ...labels }, value) }
        counters.set(name, counter)
      }
      return counter
    },
    gauge(name, help) {
      let gauge = gauges.get(name)
      if (gauge === undefined) {
        const instrument = lazily((labelNames) => new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] }))
        gauge = {
          set: (value, labels) => instrument(labels).set({ ...labels }, value),
          remove: (labels) => instrument(labels).remove({ ...labels }),
        }
        gauges.set(name, gauge)
      }
      return gauge
    },
    text: () => registry.metrics(),
  }
}
