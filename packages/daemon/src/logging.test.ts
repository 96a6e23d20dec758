import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { loadConfig } from './config.ts'
import { createLogging } from './logging.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skydive-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function settings(overrides: Record<string, string>) {
  const { values } = await loadConfig({ defaultFile: '/nonexistent', overrides })
  return values.logging
}

describe('createLogging', () => {
  it('appends JSON lines at and above its level to a file', async () => {
    const path = join(folder, 'sub/skydive.log')
    const config = await settings({
      'logging.backends': 'file',
      'logging.file.path': path,
      'logging.encoder': 'json',
      'logging.level': 'WARN',
      'logging.id': 'x',
    })
    for (const text of ['first', 'second']) {
      const { logger, flush } = createLogging(config, 'analyzer')
      logger.info({}, 'unheard')
      logger.child({ part: 'api' }).warn({ host: 'alpha' }, text)
      flush()
    }
    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { level: 40, name: 'analyzer', id: 'x', part: 'api', host: 'alpha', msg: 'first' },
      { level: 40, msg: 'second' },
    ])
  })

  it('writes lines for people by default', async () => {
    const path = join(folder, 'skydive.log')
    const { logger, flush } = createLogging(await settings({ 'logging.backends': 'file', 'logging.file.path': path }), 'agent')
    logger.info({ host: 'alpha' }, 'agent connected')
    flush()
    expect(readFileSync(path, 'utf8')).toMatch(/^\[\d{4}-\d\d-\d\d .*\] INFO.*: agent: agent connected \{"host":"alpha"\}\n$/)
  })

  it.each([
    [{ 'logging.backends': 'stderr nosuch' }, 'logging.backends: "nosuch" is none of stderr, stdout, file, syslog'],
    [{ 'logging.stderr.level': 'LOUD' }, 'logging.stderr.level: "LOUD" is none of DEBUG, INFO, WARN, ERROR'],
    [
      { 'logging.backends': 'file', 'logging.file.path': '/proc/nosuch/x.log' },
      'logging.file.path: /proc/nosuch/x.log cannot be opened',
    ],
  ])('%j is refused', async (overrides, message) => {
    const config = await settings(overrides as unknown as Record<string, string>)
    expect(() => createLogging(config, 'x')).toThrow(message)
  })
})
