/**
 * The published suite for sources of packets.
 *
 * @packageDocumentation
 */

export type { CaptureSourceCase, CaptureSourceSuiteOptions } from './capture-source-suite.ts'
export { describeCaptureSource } from './capture-source-suite.ts'
export type { TestRunner } from './probe-suite.ts'
