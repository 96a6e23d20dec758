/** A space, a tab, or the end of a line. */
export function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Of ASCII: others begin no word of the language. */
export function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}
