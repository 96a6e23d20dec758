import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createMemoryLogger } from '@skydive/testkit'
import { type ConfigFile, readConfigValue, watchConfigFiles } from './config-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'c-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('readConfigValue', () => {
  test.each<[ConfigFile['type'], string, string, string]>([
    ['json', '{"a":{"b":7}}', 'a.b', '7'],
    ['yaml', 'a:\n  b: true\n', 'a.b', 'true'],
    ['yml', 'a: text', 'a', 'text'],
    ['toml', '[a]\nb = "x"', 'a.b', 'x'],
    ['ini', '[a]\nb = 3', 'a.b', '3'],
    ['properties', '# c\na.b = x y\n', 'a.b', 'x y'],
    ['prop', 'a: 1', 'a', '1'],
    ['json', '{"a":[1,2]}', 'a', '[1,2]'],
  ])('%s %j at %s', (type, text, selector, expected) => {
    const path = join(folder, 'f')
    writeFileSync(path, text)
    expect(readConfigValue({ path, type, name: 'n', selector })).toBe(expected)
  })

  test('a selector that leads nowhere is told', () => {
    const path = join(folder, 'f')
    writeFileSync(path, '{"a":1}')
    expect(() => readConfigValue({ path, type: 'json', name: 'n', selector: 'a.b' })).toThrow(`${path}: there is no a.b`)
  })
})

describe('watchConfigFiles', () => {
  test('each file is followed by itself, also when it is replaced; one that can not be read is told', async () => {
    const logger = createMemoryLogger()
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    writeFileSync(a, '{"v":1}')
    writeFileSync(b, '{"v":10}')
    const seen: [string, string][] = []
    let wake: () => void = () => {}
    const next = new Promise<void>((resolve) => (wake = resolve))
    const file = (path: string, name: string): ConfigFile => ({ path, type: 'json', name, selector: 'v' })
    const stop = watchConfigFiles([file(a, 'A'), file(b, 'B'), file(join(folder, 'none'), 'N')], logger, ({ name }, value) => {
      seen.push([name, value])
      if (seen.length === 3) wake()
    })
    writeFileSync(`${a}.new`, '{"v":2}')
    renameSync(`${a}.new`, a)
    await next
    stop()
    expect({ seen, warned: logger.lines.length }).toEqual({
      seen: [
        ['A', '1'],
        ['B', '10'],
        ['A', '2'],
      ],
      warned: 1,
    })
  })
})
