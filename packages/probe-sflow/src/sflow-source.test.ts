import { expect, test } from '@jest/globals'
import type { CaptureTarget } from '@skydive/contracts'
import type { Kernel, KernelOptions } from '@skydive/kernel'
import { createSFlowModule } from './sflow-source.ts'

const TARGET: CaptureTarget = { interfaceName: 'lo', ifindex: 1, bpfFilter: 'icmp', snapLength: 64, excludePeers: [] }

/** Kernels that refuse to compile a filter; tells what they were opened with, how often they were disposed of, and what was asked. */
function system() {
  const asked: (KernelOptions | undefined)[] = []
  const compiled: unknown[] = []
  let disposed = 0
  const open = (options?: KernelOptions) => {
    asked.push(options)
    const compileBpf = (...filter: readonly unknown[]) => {
      compiled.push(filter)
      throw new Error('no libpcap')
    }
    return { compileBpf, dispose: () => disposed++ } as unknown as Kernel
  }
  return { module: createSFlowModule(open), asked, compiled, disposed: () => disposed }
}

test('it has its name, and looks without leaving a kernel', async () => {
  const { module, asked, disposed } = system()
  expect([module.name, await module.detect(), asked, disposed()]).toEqual(['sflow', { available: true }, [undefined], 1])
})

test('where no kernel opens it says why', async () => {
  const module = createSFlowModule(() => {
    throw new Error('no koffi')
  })
  expect(await module.detect()).toEqual({ available: false, reason: 'no koffi' })
})

test('a filter is compiled for whole headers of Ethernet; without a compiler nothing stays', () => {
  const { module, asked, compiled, disposed } = system()
  const ledger = new SharedArrayBuffer(8)
  expect(() => module.open(TARGET, {}, ledger)).toThrow('no libpcap')
  expect(() => module.open(TARGET)).toThrow('no libpcap')
  expect([asked, compiled, disposed()]).toEqual([
    [{ ledger }, undefined],
    [
      ['icmp', { linkType: 1, snapLength: 4096 }],
      ['icmp', { linkType: 1, snapLength: 4096 }],
    ],
    2,
  ])
})

test('without a filter none is compiled', () => {
  const { module, compiled, disposed } = system()
  // These kernels have no sockets.
  expect(() => module.open({ ...TARGET, bpfFilter: '' })).toThrow(TypeError)
  expect([compiled, disposed()]).toEqual([[], 1])
})
