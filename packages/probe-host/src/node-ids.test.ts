import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { oidUuid } from '@skydive/contracts'
import { createManualClock, createMemoryLogger } from '@skydive/testkit'
import { openNodeIds } from './index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'c-node-ids-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function setUp(bootId = 'boot') {
  const clock = createManualClock(1000)
  const logger = createMemoryLogger()
  const stateFile = join(folder, 'state', 'ids.json')
  const open = (boot = bootId) => openNodeIds({ hostTid: 'T', stateFile, clock, logger, bootId: boot })
  return { clock, logger, stateFile, open }
}

describe('openNodeIds', () => {
  test('an id follows from host, key and the time at which the key was first seen', () => {
    const ids = setUp().open()
    expect(ids.idOf('4:1/2/veth')).toBe(oidUuid('T4:1/2/veth1000'))
  })

  test('a key that is forgotten gets another id the next time', () => {
    const { open, clock } = setUp()
    const ids = open()
    const first = ids.idOf('k')
    expect(ids.idOf('k')).toBe(first)
    ids.forget('k')
    clock.advance(1)
    expect(ids.idOf('k')).not.toBe(first)
  })

  test('a restart changes nothing, also for what had moved', () => {
    const { open, clock } = setUp()
    const ids = open()
    const [kept, moved] = [ids.idOf('a/1'), ids.idOf('a/2')]
    ids.rename('a/2', 'b/2')
    clock.advance(1000)
    const again = open()
    expect([again.idOf('a/1'), again.idOf('b/2')]).toEqual([kept, moved])
  })

  test('what changed last is written when it is closed', () => {
    const { open, clock } = setUp()
    const ids = open()
    const id = ids.idOf('k')
    expect(clock.pending).toBe(1)
    ids.close()
    expect(clock.pending).toBe(0)
    clock.advance(5)
    expect(open().idOf('k')).toBe(id)
  })

  test('a burst is one write', () => {
    const { open, clock } = setUp()
    const ids = open()
    for (let i = 0; i < 1000; i++) ids.idOf(`k${i}`)
    expect(clock.pending).toBe(1)
  })

  test('another boot begins anew', () => {
    const { open, clock } = setUp()
    const ids = open()
    const id = ids.idOf('k')
    ids.close()
    clock.advance(1)
    expect(open('other').idOf('k')).not.toBe(id)
  })

  test('retain forgets what is not there, within its prefix', () => {
    const { open, clock } = setUp()
    const ids = open()
    const [gone, kept, other] = [ids.idOf('a/1'), ids.idOf('a/2'), ids.idOf('b/1')]
    ids.retain('a/', new Set(['a/2']))
    clock.advance(1)
    expect([ids.idOf('a/1') === gone, ids.idOf('a/2') === kept, ids.idOf('b/1') === other]).toEqual([false, true, true])
  })

  test.each([['{'], ['{"version":2}'], ['[]'], ['{"version":1,"boot":"boot","firstSeen":{"k":[1,2]}}']])(
    'a file with %j is left aside, with one line in the log',
    (text) => {
      const { open, logger, stateFile } = setUp()
      open().idOf('k')
      rmSync(join(folder, 'state'), { recursive: true, force: true })
      const ids = open()
      ids.idOf('k')
      ids.close()
      writeFileSync(stateFile, text)
      open().idOf('k')
      expect(logger.lines.map((line) => line.message)).toEqual(['node ids make no sense; new ones are given'])
    },
  )

  test('a file that can not be written is told once and does no harm', () => {
    const clock = createManualClock()
    const logger = createMemoryLogger()
    const ids = openNodeIds({ hostTid: 'T', stateFile: '/proc/no/such', clock, logger, bootId: 'b' })
    const id = ids.idOf('a')
    clock.advance(1000)
    ids.idOf('b')
    clock.advance(1000)
    expect({ same: ids.idOf('a') === id, lines: logger.lines.map((line) => line.message) }).toEqual({
      same: true,
      lines: ['node ids can not be kept'],
    })
  })

  test('the file can be read by its owner alone', () => {
    const { open, stateFile } = setUp()
    const ids = open()
    ids.idOf('k')
    ids.close()
    expect(JSON.parse(readFileSync(stateFile, 'utf8'))).toEqual({ version: 1, boot: 'boot', firstSeen: { k: ['k', 1000] } })
  })
})
