import type { Capability } from '@skydive/kernel'

/** What each capability is needed for, in the words of someone who looks at a network. */
const NEEDED: readonly (readonly [Capability, string])[] = [
  ['CAP_SYS_ADMIN', 'what is inside other namespaces'],
  ['CAP_NET_ADMIN', 'changes inside other namespaces at once'],
  ['CAP_NET_RAW', 'captures'],
]

/** One line that says what this agent will not show, and the way out; `undefined` when it sees everything. */
export function missingCapabilities(have: ReadonlySet<Capability>): string | undefined {
  const missing = NEEDED.filter(([name]) => !have.has(name))
  if (missing.length === 0) return undefined
  const what = missing.map(([name, use]) => `${use} (${name})`).join(', ')
  return `this user may not see everything; missing: ${what}. Run as root to see it all; "skydive doctor" says more`
}
