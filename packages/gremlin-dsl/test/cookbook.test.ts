import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { type GremlinEngine, resultToJson } from '../src/index.ts'
import { cookbookEngine } from './cookbook-engine.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/42-cookbook.md'), 'utf8')

const RECIPES = [...PAGE.matchAll(/^\*\*(.+)\*\*\n\n```gremlin\n([\s\S]*?)\n```\n\n```json\n([\s\S]*?)\n```/gm)].map(
  ([, title, query, answer]) => ({ title: title!, query: query!, answer: JSON.parse(answer!) as unknown }),
)

describe('docs/42-cookbook.md', () => {
  let engine: GremlinEngine

  beforeAll(async () => {
    engine = await cookbookEngine()
  })

  test('has 40 recipes at least, and none that is not checked', () => {
    expect(RECIPES.length).toBeGreaterThanOrEqual(40)
    expect(RECIPES).toHaveLength(PAGE.match(/^```gremlin$/gm)!.length)
  })

  test.each(RECIPES)('$title $query', async ({ query, answer }) => {
    expect(resultToJson((await engine.query(query)).result)).toEqual(answer)
  })
})
