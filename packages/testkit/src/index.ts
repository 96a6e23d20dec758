/**
 * Published test suites for probes, graphs and stores, and launchers for namespaces (development only).
 *
 * @packageDocumentation
 */

export type { CaptureLink } from './capture-link.ts'
export { enterCaptureLink } from './capture-link.ts'
export type { CertificateFiles, TestAuthority } from './certificates.ts'
export { createTestAuthority } from './certificates.ts'
export type { ManualClock, MemoryLogger, MemoryMetrics } from './components.ts'
export { createManualClock, createMemoryLogger, createMemoryMetrics, SYSTEM_CLOCK } from './components.ts'
export type { OpenVSwitch } from './open-vswitch.ts'
export { hasOpenVSwitch, launchOpenVSwitch } from './open-vswitch.ts'
export type { PrivateNetwork, SystemCall } from './private-network.ts'
export { enterPrivateNetwork } from './private-network.ts'
