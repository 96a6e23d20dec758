import { isDigit, isLetter, isSpace } from './characters.ts'
import { type Keyword, keywordOf } from './vocabulary.ts'

/** `illegal` is what no rule of the language begins with, or a number with a letter behind it. */
export type TokenKind = 'word' | 'string' | 'number' | '(' | ')' | ',' | '.' | 'illegal' | 'end'

/** A piece of a query. `text` is the word, the digits or the contents of the string. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What {@link Scanner.peek} answers where the text has ended. */
export const END = -1
const DOUBLE_QUOTE = 34
const SINGLE_QUOTE = 39
const MINUS = 45
const DOT = 46
const BACKSLASH = 92
const UNDERSCORE = 95
/** Whole numbers of so many characters are exact. */
const EXACT_DIGITS = 15

export function isQuote(code: number): boolean {
  return code === SINGLE_QUOTE || code === DOUBLE_QUOTE
}

/**
 * Where the reading of a query stands (spec graph 4.2). It hands out characters, and passes what begins with them: tokens as objects would cost more
 * than the reading. Never throws; linear in the length of the query.
 */
export class Scanner {
  readonly text: string
  at: number

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
  }

  /** Goes to the next token; its first character, or {@link END}. */
  peek(): number {
    const { text } = this
    // Reading behind the end would take V8 off the quick way for good.
    const { length } = text
    for (let { at } = this; at < length; at++) {
      const code = text.charCodeAt(at)
      if (isSpace(code)) continue
      this.at = at
      return code
    }
    this.at = length
    return END
  }

  /** Passes the word that begins here with the letter `first`, and says what it means. */
  keyword(first: number): Keyword | undefined {
    const { text, at: start } = this
    const { length } = text
    let letters = first & 31
    let end = start + 1
    for (; end < length; end++) {
      const code = text.charCodeAt(end)
      if (isLetter(code)) letters = (letters << 5) | (code & 31)
      else if (isDigit(code) || code === UNDERSCORE) letters <<= 5
      else break
    }
    this.at = end
    return keywordOf(letters, text, start, end)
  }

  /**
   * Passes the string that begins here, and says what is in it. Only the quote that opened it closes it. A backslash before that quote makes it part
   * of the string; every other backslash stands for itself, because queries hold regular expressions. An unterminated string runs to the end.
   */
  string(quote: number): string {
    const { text } = this
    const { length } = text
    const start = this.at + 1
    let end = start
    let isEscaped = false
    for (; end < length; end++) {
      const code = text.charCodeAt(end)
      if (code === quote) break
      if (code === BACKSLASH && end + 1 < length && text.charCodeAt(end + 1) === quote) {
        isEscaped = true
        end++
      }
    }
    this.at = end < length ? end + 1 : length
    const raw = text.slice(start, end)
    return isEscaped ? raw.replaceAll(`\\${text[start - 1]!}`, text[start - 1]!) : raw
  }

  /** Whether a number begins here, with the character `first`. */
  isNumber(first: number): boolean {
    const { text, at } = this
    return isDigit(first) || (first === MINUS && at + 1 < text.length && isDigit(text.charCodeAt(at + 1)))
  }

  /** Passes the number that begins here; `NaN` when it has more than one dot, `undefined` when a letter follows: then it is none. */
  number(first: number): number | undefined {
    const { text, at: start } = this
    const { length } = text
    let value = isDigit(first) ? first - 48 : 0
    let isWhole = true
    let end = start + 1
    let code = 0
    for (; end < length; end++) {
      code = text.charCodeAt(end)
      if (isDigit(code)) value = value * 10 + code - 48
      else if (code === DOT) isWhole = false
      else break
    }
    this.at = end
    if (end < length && isLetter(code)) return undefined
    if (!isWhole || end - start > EXACT_DIGITS) return Number(text.slice(start, end))
    return isDigit(first) ? value : -value
  }
}

/** The first token from `offset` on, to be kept. */
export function scanToken(text: string, offset: number): Token {
  const scanner = new Scanner(text, offset)
  const first = scanner.peek()
  const { at: start } = scanner
  const token = (kind: TokenKind, end = scanner.at, contents = text.slice(start, end)): Token => ({
    kind,
    text: contents,
    start,
    end,
  })
  if (first === END) return token('end')
  if (isQuote(first)) {
    const contents = scanner.string(first)
    return token('string', scanner.at, contents)
  }
  if (isLetter(first)) {
    scanner.keyword(first)
    return token('word')
  }
  if (scanner.isNumber(first)) return scanner.number(first) === undefined ? token('illegal', scanner.at + 1) : token('number')
  const mark = text[start]!
  return token('(),.'.includes(mark) ? (mark as TokenKind) : 'illegal', start + 1)
}
