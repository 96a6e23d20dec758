import { readFileSync } from 'node:fs'

/** Capabilities that our packages ask about, with their bit (linux/capability.h). */
const BITS = {
  CAP_DAC_READ_SEARCH: 2,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const

/** The name of a capability, such as `CAP_NET_ADMIN`. */
export type Capability = keyof typeof BITS

/** Which of the capabilities that matter to us are in the effective set of the calling thread. Reads one file of /proc. */
export function readCapabilities(): ReadonlySet<Capability> {
  return parseCapabilities(readFileSync('/proc/thread-self/status', 'latin1'))
}

/** The effective set out of the text of `/proc/<pid>/status` (line `CapEff:`, hexadecimal). Empty when there is no such line. */
export function parseCapabilities(status: string): ReadonlySet<Capability> {
  const hex = /^CapEff:\s*([0-9a-f]+)$/im.exec(status)?.[1] ?? '0'
  const mask = BigInt(`0x${hex}`)
  const names = Object.keys(BITS) as Capability[]
  return new Set(names.filter((name) => (mask >> BigInt(BITS[name])) & 1n))
}
