import {
  CancelledError,
  type Detection,
  InvalidArgumentError,
  type Probe,
  type ProbeComponents,
  ProbeStatusHolder,
} from '@skydive/contracts'
import { z } from 'zod'
import { type ConfigFile, watchConfigFiles } from './config-files.ts'
import { hardwareMetadata } from './hardware.ts'

const schema = z.strictObject({
  configFiles: z
    .array(
      z.strictObject({
        path: z.string().min(1),
        type: z.enum(['json', 'toml', 'ini', 'yaml', 'yml', 'properties', 'props', 'prop']),
        name: z.string().min(1),
        selector: z.string().min(1),
      }),
    )
    .max(1000)
    .default([]),
})

/** Options of the probe; all may be left out. */
export interface HardwareOptions {
  /** Values of configuration files to show at `Config.<name>` of the host node (`agent.metadata_config.files`). */
  readonly configFiles?: readonly ConfigFile[]
}

/**
 * The probe that completes the node of the host: hardware and system once at start, values of configuration files as they change.
 * What can't be read is left out. @throws ERR_INVALID_ARGUMENT for a bad option, at once.
 */
export function hardwareProbe(options: HardwareOptions = {}): (components: ProbeComponents) => Probe {
  const result = schema.safeParse(options)
  if (!result.success) {
    const issue = result.error.issues[0]!
    const option = issue.path.join('.')
    throw new InvalidArgumentError(`probe hardware: option ${option || '(all)'}: ${issue.message}`, { option })
  }
  const { configFiles } = result.data
  return (components) => new HardwareProbe(components, configFiles)
}

class HardwareProbe implements Probe {
  readonly name = 'hardware'
  readonly interfaceVersion = 1
  readonly #components: ProbeComponents
  readonly #configFiles: readonly ConfigFile[]
  readonly #status = new ProbeStatusHolder()
  #unwatch: () => void = () => {}

  constructor(components: ProbeComponents, configFiles: readonly ConfigFile[]) {
    this.#components = components
    this.#configFiles = configFiles
  }

  get status() {
    return this.#status.current
  }

  onStatus(listener: Parameters<Probe['onStatus']>[0]) {
    return this.#status.onStatus(listener)
  }

  async detect(): Promise<Detection> {
    return { available: true }
  }

  async start(signal?: AbortSignal): Promise<void> {
    if (this.#status.current.state !== 'stopped') return
    if (signal?.aborted) throw new CancelledError(`probe ${this.name}: start was cancelled`)
    this.#status.set({ state: 'starting' })
    const { graph, hostNodeId, logger } = this.#components
    const values: Record<string, string> = {}
    let started = false
    this.#unwatch = watchConfigFiles(this.#configFiles, logger, ({ name }, value) => {
      if (started) graph.transaction((tx) => tx.patchNode(hostNodeId, { [`Config.${name}`]: value }))
      else values[`Config.${name}`] = value
    })
    started = true
    graph.transaction((tx) => tx.patchNode(hostNodeId, { ...hardwareMetadata(), ...values }))
    this.#status.set({ state: 'running' })
  }

  async stop(): Promise<void> {
    if (this.#status.current.state === 'stopped') return
    this.#unwatch()
    this.#status.set({ state: 'stopped' })
  }
}
