/**
 * Says what is wrong with text that `JSON.parse` refused, in the words that clients of the original know, and where.
 * Shape: `{ message: "invalid character 'b' looking for beginning of object key string", offset: 1 }`. Never throws; O(length).
 */
export function describeJsonError(text: string): { readonly message: string; readonly offset: number } {
  const scanner = new Scanner(text)
  const failure = scanner.run()
  return failure ?? { message: 'invalid JSON', offset: text.length }
}

interface Failure {
  readonly message: string
  readonly offset: number
}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** An explicit stack instead of recursion: the text comes from outside and may be nested as deep as it is long. */
class Scanner {
  readonly #text: string
  #at = 0
  /** What encloses the position: `{` before a key, `:` inside a member, `[` inside a list. */
  readonly #open: ('{' | '[')[] = []

  constructor(text: string) {
    this.#text = text
  }

  run(): Failure | undefined {
    for (;;) {
      const failure = this.#value()
      if (failure) return failure
      const closed = this.#afterValue()
      if (closed !== 'value') return closed
    }
  }

  /** Scans up to the end of a scalar, or past the opening of a container that holds something. */
  #value(): Failure | undefined {
    for (;;) {
      const char = this.#skipSpace()
      if (char === '{') {
        this.#at++
        if (this.#skipSpace() === '}') return this.#step()
        this.#open.push('{')
        const failure = this.#key('looking for beginning of object key string')
        if (failure) return failure
      } else if (char === '[') {
        this.#at++
        if (this.#skipSpace() === ']') return this.#step()
        this.#open.push('[')
      } else {
        return this.#scalar(char)
      }
    }
  }

  /** Closes what ends here. `value`: another value is expected; otherwise the outcome. */
  #afterValue(): 'value' | Failure | undefined {
    for (;;) {
      const char = this.#skipSpace()
      const top = this.#open.at(-1)
      if (top === undefined) return char === undefined ? undefined : this.#fail('after top-level value')
      if (char === ',') {
        this.#at++
        if (top === '[') return 'value'
        this.#skipSpace()
        return this.#key('looking for beginning of object key string') ?? 'value'
      }
      if (char !== (top === '{' ? '}' : ']'))
        return this.#fail(top === '{' ? 'after object key:value pair' : 'after array element')
      this.#open.pop()
      this.#at++
    }
  }

  #key(where: string): Failure | undefined {
    if (this.#text[this.#at] !== '"') return this.#fail(where)
    const failure = this.#string()
    if (failure) return failure
    if (this.#skipSpace() !== ':') return this.#fail('after object key')
    this.#at++
    return undefined
  }

  #scalar(char: string | undefined): Failure | undefined {
    if (char === '"') return this.#string()
    const literal = char === undefined ? undefined : LITERALS[char]
    if (literal !== undefined) return this.#literal(literal)
    NUMBER.lastIndex = this.#at
    const number = NUMBER.exec(this.#text)
    if (number === null) return this.#fail('looking for beginning of value')
    this.#at += number[0].length
    return undefined
  }

  #literal(literal: string): Failure | undefined {
    for (const expected of literal) {
      if (this.#text[this.#at] !== expected) return this.#fail(`in literal ${literal} (expecting '${expected}')`)
      this.#at++
    }
    return undefined
  }

  #string(): Failure | undefined {
    this.#at++
    for (;;) {
      const char = this.#text[this.#at]
      if (char === undefined || char < ' ') return this.#fail('in string literal')
      this.#at++
      if (char === '"') return undefined
      if (char !== '\\') continue
      if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.#text.slice(this.#at, this.#at + 5)))
        return this.#fail('in string escape code')
      this.#at++
    }
  }

  #step(): undefined {
    this.#at++
    return undefined
  }

  #skipSpace(): string | undefined {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++
    return this.#text[this.#at]
  }

  #fail(where: string): Failure {
    const char = this.#text[this.#at]
    if (char === undefined) return { message: 'unexpected end of JSON input', offset: this.#at }
    const quoted = char === "'" ? `'\\''` : `'${JSON.stringify(char).slice(1, -1)}'`
    return { message: `invalid character ${quoted} ${where}`, offset: this.#at }
  }
}
