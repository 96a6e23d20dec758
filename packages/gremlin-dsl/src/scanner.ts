/** `illegal` is what no rule of the language begins with, or a number with a letter behind it. */
export type TokenKind = 'word' | 'string' | 'number' | '(' | ')' | ',' | '.' | 'illegal' | 'end'

/** A piece of a query. `text` is the word, the digits or the contents of the string. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly start: number
  readonly end: number
}

const SPACE = 32
const TAB = 9
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const DOUBLE_QUOTE = 34
const SINGLE_QUOTE = 39
const MINUS = 45
const DOT = 46
const BACKSLASH = 92

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

function isWordPart(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 95
}

/** The next token from `offset` on, whitespace skipped (spec graph 4.2). Never throws; linear in the length of the token. */
export function scanToken(text: string, offset: number): Token {
  let start = offset
  while (start < text.length) {
    const code = text.charCodeAt(start)
    if (code !== SPACE && code !== TAB && code !== LINE_FEED && code !== CARRIAGE_RETURN) break
    start++
  }
  if (start >= text.length) return { kind: 'end', text: '', start: text.length, end: text.length }
  const first = text.charCodeAt(start)
  if (isLetter(first)) return scanWord(text, start)
  if (isDigit(first)) return scanNumber(text, start)
  if (first === MINUS && isDigit(text.charCodeAt(start + 1))) return scanNumber(text, start)
  if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) return scanString(text, start, first)
  const char = text[start]!
  if (char === '(' || char === ')' || char === ',' || char === '.') return { kind: char, text: char, start, end: start + 1 }
  return { kind: 'illegal', text: char, start, end: start + 1 }
}

function scanWord(text: string, start: number): Token {
  let end = start + 1
  while (end < text.length && isWordPart(text.charCodeAt(end))) end++
  return { kind: 'word', text: text.slice(start, end), start, end }
}

function scanNumber(text: string, start: number): Token {
  let end = start + 1
  while (end < text.length && (isDigit(text.charCodeAt(end)) || text.charCodeAt(end) === DOT)) end++
  const broken = end < text.length && isLetter(text.charCodeAt(end))
  if (broken) end++
  return { kind: broken ? 'illegal' : 'number', text: text.slice(start, end), start, end }
}

/**
 * Only the quote that opened a string closes it. A backslash before that quote makes it part of the string; every other backslash stands
 * for itself, because queries hold regular expressions. An unterminated string runs to the end.
 */
function scanString(text: string, start: number, quote: number): Token {
  let end = start + 1
  let escaped = false
  while (end < text.length && text.charCodeAt(end) !== quote) {
    if (text.charCodeAt(end) === BACKSLASH && text.charCodeAt(end + 1) === quote) {
      escaped = true
      end++
    }
    end++
  }
  const closed = Math.min(end, text.length)
  const raw = text.slice(start + 1, closed)
  const char = String.fromCharCode(quote)
  const contents = escaped ? raw.replaceAll(`\\${char}`, char) : raw
  return { kind: 'string', text: contents, start, end: Math.min(end + 1, text.length) }
}
