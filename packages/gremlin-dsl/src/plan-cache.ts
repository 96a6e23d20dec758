/** Keeps values by text. */
export interface PlanCache<T> {
  get(text: string): T | undefined
  set(text: string, value: T): void
}

/**
 * At most `capacity` values, each kept from the second time that it is set: what is asked once, such as a query with an address in it, would push
 * out what is asked all day, and what lives for a while and goes costs the garbage collector more than making it. Begins anew when it is full.
 */
export function createPlanCache<T>(capacity: number): PlanCache<T> {
  const kept = new Map<string, T | undefined>()
  const seenOnce: typeof kept = new Map()
  return {
    get: (text) => kept.get(text),
    set(text, value) {
      const isAgain = seenOnce.has(text)
      const place = isAgain ? kept : seenOnce
      if (place.size >= capacity) place.clear()
      place.set(text, isAgain ? value : undefined)
    },
  }
}
