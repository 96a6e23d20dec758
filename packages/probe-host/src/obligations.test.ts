import { describe, expect, it } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { describeProbe } from '@skydive/testkit/probe'
import { hardwareProbe } from './index.ts'

describeProbe('hardware', { runner: { describe, it, expect }, createGraph, createCase: () => ({ create: hardwareProbe() }) })
