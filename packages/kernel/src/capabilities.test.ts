import { describe, expect, test } from '@jest/globals'
import { parseCapabilities } from './index.ts'

describe('parseCapabilities', () => {
  test.each([
    [
      'CapEff:\t000001ffffffffff',
      ['CAP_DAC_READ_SEARCH', 'CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_SYS_PTRACE', 'CAP_SYS_ADMIN', 'CAP_PERFMON', 'CAP_BPF'],
    ],
    ['Name:\tnode\nCapInh:\tffff\nCapEff:\t0000000000003000\nCapBnd:\tffff\n', ['CAP_NET_ADMIN', 'CAP_NET_RAW']],
    ['CapEff:\t0000000000000000', []],
    ['CapEff: zz', []],
    ['', []],
  ])('%j', (status, expected) => {
    expect([...parseCapabilities(status)]).toEqual(expected)
  })
})
