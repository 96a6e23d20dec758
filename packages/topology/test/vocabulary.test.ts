import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import {
  edgeMetadataSchema,
  hostMetadataSchema,
  interfaceMetadataSchema,
  NODE_TYPES,
  netnsMetadataSchema,
  publishedNodeSchema,
  RELATION_TYPES,
  vocabularyPage,
} from '../src/index.ts'

const golden = new URL('../../../../shared/golden/http/', import.meta.url)

test('the reference page is what the package says', () => {
  const page = readFileSync(new URL('../../../docs/55-vocabulary.md', import.meta.url), 'utf8')
  expect(page).toBe(vocabularyPage())
})

describe('types', () => {
  test.each([
    ['node types', NODE_TYPES.map(({ type, producer }) => `${type}/${producer}`)],
    ['relation types', RELATION_TYPES.map(({ type }) => type)],
  ])('%s are listed once', (_, names) => {
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('publishedNodeSchema', () => {
  test.each([
    [{ Type: 'device', Name: 'eth0' }, []],
    [{ Type: 'device', Name: 'eth0', Anything: { else: 1 } }, []],
    [{ Name: 'eth0' }, ['Type']],
    [{ Type: '', Name: 'eth0' }, ['Type']],
    [{ Type: 'device' }, ['Name']],
    [{ Type: 'netns', Name: 'x' }, ['Path']],
    [{ Type: 'netns', Name: 'x', Path: '/var/run/netns/x' }, []],
    [{ Type: 'ovsport', Name: 'x' }, ['UUID']],
    [{ Type: 'ovsport', Name: 'x', UUID: 7 }, ['UUID']],
  ])('%j', (metadata, wrong) => {
    const result = publishedNodeSchema.safeParse(metadata)
    expect(result.success ? [] : result.error.issues.map(({ path }) => path.join('.'))).toEqual(wrong)
  })
})

const recorded = existsSync(golden)
if (!recorded && process.env['SKYDIVE_CI'])
  throw new Error('the recorded answers are missing: shared/golden/http beside the repository')
const whenRecorded = recorded ? describe : describe.skip

whenRecorded('recorded elements', () => {
  interface Element {
    readonly Metadata: Readonly<Record<string, unknown>>
    readonly Parent?: string
  }
  const elements = (recorded ? readdirSync(golden) : [])
    .filter((name) => /^q\d+\.json$/.test(name))
    .flatMap((name) => {
      const body = JSON.parse(readFileSync(new URL(name, golden), 'utf8')).body_json as unknown
      return Array.isArray(body) ? (body as (Element | null)[]).filter((element) => element?.Metadata !== undefined) : []
    }) as Element[]

  test('have the types and keys of the vocabulary', () => {
    expect(elements.length).toBeGreaterThan(16)
    for (const { Metadata: metadata, Parent } of elements) {
      const schema =
        Parent !== undefined
          ? edgeMetadataSchema
          : metadata['Type'] === 'host'
            ? hostMetadataSchema
            : metadata['Type'] === 'netns'
              ? netnsMetadataSchema
              : metadata['IfIndex'] === undefined
                ? publishedNodeSchema
                : interfaceMetadataSchema
      const result = schema.safeParse(metadata)
      expect({ metadata, issues: result.error?.issues }).toEqual({ metadata, issues: undefined })
    }
  })
})
