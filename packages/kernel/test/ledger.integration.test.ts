import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { createLedger, openKernel } from '../src/index.ts'

/** Whether a descriptor is open, and to what. */
function target(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, '')
  } catch {
    return undefined
  }
}

test('what is open stands in it, what was closed does not', () => {
  const ledger = createLedger()
  const kernel = openKernel({ ledger: ledger.shared })
  const closed = kernel.eventDescriptor()
  kernel.close(closed)
  const memory = kernel.mapMemory({ byteLength: 8192 })
  kernel.mapMemory({ byteLength: 4096 }).close()
  const set = kernel.descriptorSet()
  const event = kernel.eventDescriptor()
  const double = kernel.duplicate(event)
  new Uint8Array(memory.buffer).fill(7)
  expect([set.fd, event, double].map(target)).toEqual(['anon_inode:[eventpoll]', 'anon_inode:[eventfd]', 'anon_inode:[eventfd]'])
  // Those and the namespace that the kernel comes back to.
  expect(ledger.release()).toEqual({ descriptors: 4, mappings: 1, pcapHandles: 0 })
  expect([set.fd, event, double].map(target)).toEqual([undefined, undefined, undefined])
  expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true)
  expect(ledger.release()).toEqual({ descriptors: 0, mappings: 0, pcapHandles: 0 })
})

test('libpcap stays in memory from before a thread begins: what the thread leaves points into it', () => {
  const program = `
    import { readFileSync } from 'node:fs'
    import { createLedger } from '${new URL('../src/index.ts', import.meta.url).href}'
    const has = () => readFileSync('/proc/self/maps', 'utf8').includes('libpcap')
    const before = has()
    const ledger = createLedger()
    console.log(JSON.stringify([before, has(), ledger.release()]))
  `
  const args = ['--import', 'tsx', '--conditions=@skydive/source', '--input-type=module', '-e', program]
  const said = execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
  expect(JSON.parse(said)).toEqual([false, true, { descriptors: 0, mappings: 0, pcapHandles: 0 }])
})
