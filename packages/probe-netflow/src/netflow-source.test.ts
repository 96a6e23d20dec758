import { expect, test } from '@jest/globals'
import type { CaptureTarget } from '@skydive/contracts'
import type { Kernel, KernelOptions } from '@skydive/kernel'
import { createNetflowModule } from './netflow-source.ts'

const TARGET: CaptureTarget = { interfaceName: 'lo', ifindex: 1, bpfFilter: '', snapLength: 256, excludePeers: [] }

/** Kernels that nothing can be asked of; counts what was opened with and how many were disposed of. */
function system() {
  const asked: (KernelOptions | undefined)[] = []
  let disposed = 0
  const open = (options?: KernelOptions) => {
    asked.push(options)
    return { dispose: () => disposed++ } as unknown as Kernel
  }
  return { module: createNetflowModule(open), asked, disposed: () => disposed }
}

test('it has its name, and looks without leaving a kernel', async () => {
  const { module, asked, disposed } = system()
  expect([module.name, await module.detect(), asked, disposed()]).toEqual(['netflow', { available: true }, [undefined], 1])
})

test('where no kernel opens it says why', async () => {
  const module = createNetflowModule(() => {
    throw new Error('no koffi')
  })
  expect(await module.detect()).toEqual({ available: false, reason: 'no koffi' })
})

test('a filter is refused before a kernel is opened', () => {
  const { module, asked } = system()
  expect(() => module.open({ ...TARGET, bpfFilter: 'icmp' })).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: `netflow: a filter ("icmp") can't be applied to records; leave BPFFilter out`,
      fields: { bpfFilter: 'icmp' },
    }),
  )
  expect(asked).toEqual([])
})

test.each([
  [0, 5],
  [-1, 5],
  [6, 5],
  [1, 0],
  [2055.5, 2056],
  [2055, 2056.5],
  [65_535, 65_536],
])('ports %d to %d are no range: refused, and the kernel is disposed of', (minPort, maxPort) => {
  const { module, disposed } = system()
  expect(() => module.open(TARGET, { minPort, maxPort })).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: `netflow: ports ${minPort} to ${maxPort} are no range from 1 to 65535`,
      fields: { minPort, maxPort },
    }),
  )
  expect(disposed()).toBe(1)
})

test('the ledger of the thread goes to its kernel', () => {
  const { module, asked } = system()
  const ledger = new SharedArrayBuffer(8)
  const range = { minPort: 2, maxPort: 1 }
  expect(() => module.open(TARGET, range, ledger)).toThrow()
  expect(() => module.open(TARGET, range)).toThrow()
  expect(asked).toEqual([{ ledger }, undefined])
})
