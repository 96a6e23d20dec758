import { appendFileSync, existsSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { memoryFolder } from '../test/memory-folder.ts'
import { DatabaseFile } from './database-file.ts'
import { OpenFiles } from './open-files.ts'

const CAPACITY = 3

let folder: string
let files: OpenFiles

beforeEach(() => {
  folder = memoryFolder()
  files = new OpenFiles(CAPACITY)
})

afterEach(() => {
  files.close()
  rmSync(folder, { recursive: true })
})

function make(name: string): DatabaseFile {
  const file = new DatabaseFile(files, join(folder, name), { synchronous: 'NORMAL' })
  file.transaction(() => {
    file.exec('CREATE TABLE file.word (text TEXT NOT NULL)')
    for (const text of ['one', 'two', 'three']) file.run('INSERT INTO word (text) VALUES (?)', `${name} ${text}`)
  })
  return file
}

const words = (file: DatabaseFile) => file.all('SELECT text FROM word').map(({ text }) => text)

/** The files of the folder that this process has open, by name, where the system can tell. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) ? [path.slice(folder.length + 1)] : []
    } catch {
      return []
    }
  })
}

const openNames = () => [...new Set(descriptors().filter((name) => !/-(wal|shm)$/.test(name)))].sort()

describe('a bounded number of open files', () => {
  test('the one used longest ago is closed, and opens again with what it holds', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map(make)
    expect([files.openCount, openNames()]).toEqual([3, ['c', 'd', 'e']])
    expect(words(all[2]!)).toEqual(['c one', 'c two', 'c three'])
    expect(words(all[0]!)).toEqual(['a one', 'a two', 'a three'])
    expect([files.openCount, openNames()]).toEqual([3, ['a', 'c', 'e']])
  })

  test('a file that is closed has checkpointed and leaves no log', () => {
    make('a')
    files.close()
    expect([readdirSync(folder), descriptors()]).toEqual([['a'], []])
  })

  test('a file that is iterated stays, also when all others are asked for', () => {
    const [a, ...others] = ['a', 'b', 'c', 'd', 'e'].map(make)
    const read: unknown[] = []
    for (const { text } of a!.each('SELECT text FROM word')) {
      read.push(text, ...others.map((file) => words(file)[0]))
    }
    expect(read).toEqual(['one', 'two', 'three'].flatMap((word) => [`a ${word}`, 'b one', 'c one', 'd one', 'e one']))
    expect(files.openCount).toBe(CAPACITY)
  })

  test('a file whose iteration was left can be closed', () => {
    const a = make('a')
    for (const { text } of a.each('SELECT text FROM word')) {
      expect(text).toBe('a one')
      break
    }
    expect(a.inUse).toBe(false)
    files.release(a)
    expect(descriptors()).toEqual([])
  })

  test('a file in a transaction stays', () => {
    const [a, ...others] = ['a', 'b', 'c', 'd', 'e'].map(make)
    a!.transaction(() => {
      a!.run('INSERT INTO word (text) VALUES (?)', 'a four')
      for (const file of others) words(file)
      a!.run('INSERT INTO word (text) VALUES (?)', 'a five')
    })
    expect(words(a!)).toEqual(['a one', 'a two', 'a three', 'a four', 'a five'])
  })

  test('a file that is held stays until it is let go', () => {
    const a = make('a')
    a.hold()
    for (const name of ['b', 'c', 'd', 'e']) make(name)
    expect(openNames()).toEqual(['a', 'd', 'e'])
    a.letGo()
    for (const name of ['f', 'g', 'h']) make(name)
    expect(openNames()).toEqual(['f', 'g', 'h'])
  })

  test('when all are held, one more is opened', () => {
    const held = ['a', 'b', 'c'].map(make)
    for (const file of held) file.hold()
    make('d')
    expect(files.openCount).toBe(4)
    make('e')
    expect(openNames()).toEqual(['a', 'b', 'c', 'e'])
  })
})

describe('a file', () => {
  test('a transaction that throws leaves nothing', () => {
    const a = make('a')
    expect(() =>
      a.transaction(() => {
        a.run('DELETE FROM word')
        throw new Error('no')
      }),
    ).toThrow('no')
    expect([words(a), a.inUse]).toEqual([['a one', 'a two', 'a three'], false])
  })

  test('that is removed is closed and gone', () => {
    const a = make('a')
    a.remove()
    expect([existsSync(a.path), readdirSync(folder), descriptors()]).toEqual([false, [], []])
  })

  test('that can not be opened is told, and the next opens', () => {
    const absent = new DatabaseFile(files, join(folder, 'absent', 'x'), { synchronous: 'NORMAL' })
    expect(() => absent.get('SELECT 1')).toThrow(/unable to open database/)
    expect([words(make('a')), files.openCount]).toEqual([['a one', 'a two', 'a three'], 1])
  })

  test.each(['FULL', 'NORMAL'] as const)('%s: in WAL mode, with that much care for the disk', (synchronous) => {
    const file = new DatabaseFile(files, join(folder, 'x'), { synchronous })
    expect([file.get('PRAGMA file.journal_mode'), file.get('PRAGMA file.synchronous')]).toEqual([
      { journal_mode: 'wal' },
      { synchronous: synchronous === 'FULL' ? 2 : 1 },
    ])
  })

  test.each(["it's", 'file:x?mode=memory', 'ä b%20', 'a#b'])('may be called %s', (name) => {
    const file = make(name)
    files.release(file)
    expect([readdirSync(folder), words(file)]).toEqual([[name], [`${name} one`, `${name} two`, `${name} three`]])
  })

  test('more texts of statements than are kept prepared', () => {
    const a = make('a')
    const rows = Array.from({ length: 200 }, (_, i) => a.get(`SELECT ${i} AS number FROM word`))
    expect(rows).toEqual(Array.from({ length: 200 }, (_, number) => ({ number })))
  })
})

describe('the size of a file', () => {
  const onDisk = (name: string) =>
    ['', '-wal'].reduce((sum, suffix) => sum + (statSync(join(folder, name + suffix), { throwIfNoEntry: false })?.size ?? 0), 0)

  test('is that on the disk, with its log, open and closed, also when it grew in between', () => {
    const a = make('a')
    expect(a.bytes).toBe(onDisk('a'))
    files.release(a)
    expect(a.bytes).toBe(onDisk('a'))
    for (let round = 0; round < 50; round++) a.run('INSERT INTO word (text) VALUES (?)', 'x'.repeat(1_000))
    expect(a.bytes).toBe(onDisk('a'))
    files.release(a)
    expect([a.bytes, existsSync(join(folder, 'a-wal'))]).toEqual([onDisk('a'), false])
  })

  test('is looked up once for as long as the file is closed', () => {
    const a = make('a')
    files.release(a)
    const before = a.bytes
    appendFileSync(join(folder, 'a'), new Uint8Array(4096))
    expect([a.bytes, onDisk('a')]).toEqual([before, before + 4096])
    words(a)
    expect(a.bytes).toBe(onDisk('a'))
  })

  test('is nothing when it is gone', () => {
    const a = make('a')
    a.remove()
    expect(a.bytes).toBe(0)
  })
})
