import { expect, test } from '@jest/globals'
import type { CoverageAnswer } from '@skydive/client'
import { renderCoverage } from './coverage.ts'

const FROM = Date.UTC(2026, 0, 31, 12)
const whole: CoverageAnswer = {
  From: FROM,
  To: FROM + 60_000,
  Complete: true,
  Watched: 1,
  Lost: { Packets: 0, Flows: 0 },
  Captures: [
    {
      ID: 'c1',
      Name: 'web',
      NodeID: 'n',
      NodeTID: 't',
      NodeName: 'eth0',
      Host: 'alpha',
      BPFFilter: 'port 80',
      SamplingRate: 1,
      From: FROM - 1_000,
      PacketsReceived: 12,
      PacketsDropped: 0,
    },
  ],
  Losses: [],
}

test('watched all the time', () => {
  expect(renderCoverage(whole)).toEqual({
    kind: 'text',
    text: `2026-01-31T12:00:00.000Z to 2026-01-31T12:01:00.000Z: watched all the time, nothing lost.

HOST   NODE  CAPTURE  FROM                      TO       FILTER   PACKETS  DROPPED
alpha  eth0  web      2026-01-31T11:59:59.000Z  running  port 80       12        0`,
  })
})

test('losses, a sampled capture that failed, and a time before anything is known', () => {
  const [capture] = whole.Captures
  const partial: CoverageAnswer = {
    ...whole,
    KnownFrom: FROM + 1_000,
    Complete: false,
    Watched: 0.9999,
    Lost: { Packets: 10, Flows: 4 },
    Captures: [
      { ...capture!, Name: undefined, SamplingRate: 10, To: FROM + 30_000, PacketsIfDropped: 7, Error: 'link is down' },
      { ...capture!, PacketsIfDropped: 0 },
    ],
    Losses: [
      { Cause: 'kernel', Host: 'alpha', CaptureID: 'c1', From: FROM, To: FROM + 1_000, Packets: 3, Flows: 4 },
      { Cause: 'interface', Host: 'alpha', CaptureID: 'c1', From: FROM, To: FROM + 1_000, Packets: 7, Flows: 0 },
    ],
  }
  expect(renderCoverage(partial)).toEqual({
    kind: 'text',
    text: `2026-01-31T12:00:00.000Z to 2026-01-31T12:01:00.000Z: watched 99.9 % of the time, 10 packets and 4 reports of flows lost. Nothing is known before 2026-01-31T12:00:01.000Z.

HOST   NODE  CAPTURE  FROM                      TO                        FILTER   SAMPLING  PACKETS  DROPPED  IF-DROPPED  ERROR
alpha  eth0  c1       2026-01-31T11:59:59.000Z  2026-01-31T12:00:30.000Z  port 80  1 in 10        12        0           7  link is down
alpha  eth0  web      2026-01-31T11:59:59.000Z  running                   port 80                 12        0

HOST   CAUSE      CAPTURE  FROM                      TO                        PACKETS  FLOWS
alpha  kernel     c1       2026-01-31T12:00:00.000Z  2026-01-31T12:00:01.000Z        3      4
alpha  interface  c1       2026-01-31T12:00:00.000Z  2026-01-31T12:00:01.000Z        7      0`,
  })
})

test('nothing watched', () => {
  expect(renderCoverage({ ...whole, Complete: false, Watched: 0, Captures: [] })).toEqual({
    kind: 'text',
    text: '2026-01-31T12:00:00.000Z to 2026-01-31T12:01:00.000Z: watched 0 % of the time, nothing lost.',
  })
})
