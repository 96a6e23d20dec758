/**
 * The published suite for probes.
 *
 * @packageDocumentation
 */

export type { ProbeCase, ProbedGraph, ProbeSuiteOptions, TestRunner } from './probe-suite.ts'
export { describeProbe } from './probe-suite.ts'
