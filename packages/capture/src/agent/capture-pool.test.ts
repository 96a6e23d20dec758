import { describe, expect, test } from '@jest/globals'
import { encodeTableReply } from '@skydive/protocol/flow'
import { captureStart } from '../../test/capture-start.ts'
import { CapturePool } from './capture-pool.ts'
import type { CaptureThread, CaptureThreadEvents } from './capture-thread.ts'
import type { CaptureFigures, CaptureStart } from './messages.ts'

const START: CaptureStart = { ...captureStart('ring'), table: { ...captureStart('ring').table, ipDefrag: true } }

function figures(taskId: number, n: number): CaptureFigures {
  return {
    taskId,
    source: { packetsReceived: n, packetsDropped: 10 * n, packetsIfDropped: 100 * n },
    table: {
      ...{ flows: n, packets: 2 * n, ignoredPackets: 3 * n, filteredPackets: 4 * n, evictedFlows: 5 * n },
      fragments: { datagrams: n, fragments: n, errors: n, evicted: n, timedOut: n },
    },
  }
}

/** Threads that write down what they are told. `members` is what the source of the first says. */
function setUp(members: readonly unknown[] = ['m1', 'm2']) {
  const told: string[] = []
  const heard: unknown[] = []
  const threads: CaptureThreadEvents[] = []
  const refused = new Set<number>()
  const gates: Promise<void>[] = []
  const pool = new CapturePool(
    {
      onBatch: (_payload, flows) => heard.push(['batch', flows]),
      onFailed: (taskId, error) => heard.push(['failed', taskId, error.message]),
      onFigures: (all) => heard.push(['figures', all]),
    },
    (events): CaptureThread => {
      const index = threads.push(events) - 1
      return {
        async start({ taskId, moduleOptions, table }) {
          told.push(`${index} start ${taskId} ${String(moduleOptions)} ${table.maxFlows}`)
          await gates[index]
          if (refused.has(index)) throw new Error(`thread ${index} is full`)
          return { figures: figures(taskId, index + 1), members: index === 0 ? members : [] }
        },
        async stop(taskId) {
          told.push(`${index} stop ${taskId}`)
        },
        query: async () => encodeTableReply({ Status: 200, FlowSetBytes: [Uint8Array.of(index)] }),
        askFigures: () => told.push(`${index} figures`),
        async close() {
          told.push(`${index} close`)
        },
      }
    },
  )
  return { pool, told, heard, threads, refused, gates }
}

describe('captures in threads', () => {
  test('one whose source does not spread is in the first alone', async () => {
    const { pool, told } = setUp([])
    expect(await pool.start(START)).toEqual(figures(1, 1))
    await pool.stop(1)
    await pool.close()
    expect(told).toEqual(['0 start 1 undefined 10', '0 stop 1', '0 close'])
  })

  test('one that is spread is in several, each with its share of the table; the first ends first', async () => {
    const { pool, told } = setUp()
    expect(await pool.start(START)).toEqual(figures(1, 1 + 2 + 3))
    await pool.stop(1)
    await pool.stop(1)
    await pool.close()
    expect(told).toEqual([
      ...['0 start 1 undefined 10', '1 start 1 m1 4', '2 start 1 m2 4'],
      ...['0 stop 1', '1 stop 1', '2 stop 1'],
      '0 stop 1',
      ...['0 close', '1 close', '2 close'],
    ])
  })

  test('an answer has the tables of all threads', async () => {
    const { pool } = setUp()
    await pool.start(START)
    const reply = encodeTableReply({ Status: 200, FlowSetBytes: [0, 1, 2].map((index) => Uint8Array.of(index)) })
    expect(await pool.query(new Uint8Array())).toEqual(reply)
  })

  test('figures are told once, when all threads have answered, or at the next asking', async () => {
    const { pool, heard, threads } = setUp()
    await pool.start(START)
    pool.askFigures()
    threads[2]!.onFigures([figures(1, 30)])
    threads[0]!.onFigures([figures(1, 10)])
    expect(heard).toEqual([])
    threads[1]!.onFigures([figures(1, 20), figures(7, 1)])
    expect(heard.splice(0)).toEqual([['figures', [figures(1, 60)]]])
    pool.askFigures()
    threads[0]!.onFigures([figures(1, 11)])
    pool.askFigures()
    expect(heard).toEqual([['figures', [figures(1, 61)]]])
  })

  test('where one source can not be opened none stays open', async () => {
    const { pool, told, refused } = setUp()
    refused.add(2)
    await expect(pool.start(START)).rejects.toThrow('thread 2 is full')
    expect(told.slice(3)).toEqual(['0 stop 1', '1 stop 1', '2 stop 1'])
  })

  test('one that is stopped while its members are opened does not start', async () => {
    const { pool, told, gates } = setUp()
    let open = () => {}
    gates[1] = new Promise((resolve) => {
      open = resolve
    })
    const starting = pool.start(START)
    while (told.length < 3) await Promise.resolve()
    await pool.stop(1)
    open()
    await expect(starting).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' })
    expect(told.slice(3)).toEqual(['0 stop 1', '1 stop 1', '2 stop 1'])
  })

  test('a source that fails ends the capture in all threads', async () => {
    const { pool, told, heard, threads } = setUp()
    await pool.start(START)
    threads[1]!.onFailed(1, new Error('gone'))
    threads[2]!.onFailed(1, new Error('gone, too'))
    await Promise.resolve()
    expect(heard).toEqual([['failed', 1, 'gone']])
    await pool.close()
    expect(told.slice(3, 6)).toEqual(['0 stop 1', '1 stop 1', '2 stop 1'])
  })

  test('a thread that breaks takes the captures with it that are in it, and a new one comes in its place', async () => {
    const { pool, heard, threads, told } = setUp()
    await pool.start(START)
    threads[2]!.onCrash(new Error('broke'))
    expect(heard).toEqual([['failed', 1, 'broke']])
    await pool.start({ ...START, taskId: 2 })
    expect(told.filter((one) => one.includes('start 2'))).toEqual(['0 start 2 undefined 10', '1 start 2 m1 4', '3 start 2 m2 4'])
    pool.askFigures()
    threads[1]!.onCrash(new Error('broke'))
    threads[0]!.onFigures([])
    threads[3]!.onFigures([])
    expect(heard.slice(1)).toEqual([
      ['failed', 2, 'broke'],
      ['figures', []],
    ])
  })
})
