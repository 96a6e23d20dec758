/** Longer words are not compared: the cost grows with the square. */
const MAX_WORD = 64

/**
 * What a mistyped word was probably meant to be, without regard to case: the candidate with the fewest typing mistakes, if these are few
 * for its length; `undefined` when none is near. O(candidates × length²) for at most 64 characters.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < 2 || word.length > MAX_WORD) return undefined
  const wanted = word.toLowerCase()
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const mistakes = candidate.length > MAX_WORD ? fewest : typingMistakes(wanted, candidate.toLowerCase(), fewest)
    if (mistakes < fewest) {
      best = candidate
      fewest = mistakes
    }
  }
  return best
}

/** Characters to insert, remove, replace or swap with their neighbour; `enough` for that many or more. */
function typingMistakes(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = last[j]! + (a[i] === b[j] ? 0 : 1)
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j] ? beforeLast[j - 1]! + 1 : enough
      row.push(Math.min(last[j + 1]! + 1, row[j]! + 1, replaced, swapped))
    }
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length]!, enough)
}
