/**
 * What every Skydive process needs: configuration, logging, metrics, signals, ordered start and stop, loading probes by name.
 *
 * @packageDocumentation
 */

export { afterRest } from './after-rest.ts'
export type { Config, ConfigSources } from './config.ts'
export { defaultDataFolder, listKeys, loadConfig } from './config.ts'
export { renderConfigurationPage } from './configuration-page.ts'
export { variableOf } from './environment.ts'
export type { LoadedProbe, ProbeSelection } from './load-probes.ts'
export { loadProbes } from './load-probes.ts'
export type { Logging } from './logging.ts'
export { createLogging } from './logging.ts'
export type { MetricsRegistry } from './metrics.ts'
export { createMetrics } from './metrics.ts'
export type { NamedService, RunOptions } from './run-services.ts'
export { runServices } from './run-services.ts'
export type { ConfigValues } from './schema/index.ts'
export type { StoreConfig } from './schema/storage.ts'
export type { ServiceAddress } from './service-address.ts'
export { formatServiceAddress, parseServiceAddress } from './service-address.ts'
export { suggest } from './suggestion.ts'
export type { TlsSection, TlsSettings } from './tls.ts'
export { readTls } from './tls.ts'
