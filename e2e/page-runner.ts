// A test runner small enough for a page. The suite's file is bundled with this one in the place of `@jest/globals`.

/** How one test went: `message` says what was wrong, and is empty for a test that is ok. */
export interface Outcome {
  /** The names of the test and of what it stands in, as jest writes them: `graph source memory, now graph T is taken down`. */
  readonly title: string
  readonly ok: boolean
  readonly message: string
}

type Body = () => Promise<void> | void

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** The keys that count: a key without a value is as good as absent. */
const keysOf = (record: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.keys(record).filter((key) => record[key] !== undefined)

/** Whether two values out of JSON are the same, keys in any order. Of other objects, only the very same one is. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = keysOf(a)
  return keys.length === keysOf(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
}

/** Fails the test that calls it when the two differ. */
export function expect(actual: unknown) {
  return {
    toEqual(expected: unknown): void {
      if (!isSame(actual, expected)) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
    },
  }
}

/** What has been described, in order. One page holds one suite, as one file does. */
const tests: { readonly title: string; readonly body: Body }[] = []
const around: string[] = []

/** Puts the tests of `body` under a name. */
export function describe(name: string, body: () => void): void {
  around.push(name)
  body()
  around.pop()
}

/** Remembers a test. */
export function it(name: string, body: Body): void {
  tests.push({ title: [...around, name].join(' '), body })
}

/** Runs every test, one after the other, and tells how each went. */
export async function outcomes(): Promise<readonly Outcome[]> {
  const all: Outcome[] = []
  for (const { title, body } of tests) {
    try {
      await body()
      all.push({ title, ok: true, message: '' })
    } catch (error) {
      all.push({ title, ok: false, message: String(error) })
    }
  }
  return all
}
