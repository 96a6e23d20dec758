import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { compare } from './compare.ts'
import { openTestHost, type TestHost } from './host.ts'

const OPERATIONS = 1000
const ROUNDS = 20
const NAMESPACES = ['a', 'b', 'c']
/** So long after the last operation the graph and iproute2 must agree. */
const AGREEMENT_MS = 5000
/** iproute2 itself may have looked in the middle of a change that the graph has told already. */
const LOOK_AGAIN_MS = 500

let host: TestHost
beforeEach(async () => {
  host = await openTestHost()
})
afterEach(() => host.close())

/** A small generator of numbers (mulberry32), so that a failure can be had again by its seed. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** One random line of `ip -batch`; many make no sense at the moment and are refused, which is part of the game. */
function operation(random: (below: number) => number): string {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const name = () => `i${random(24)}`
  const bridge = () => `i${random(6)}`
  const ipv4 = () => `10.${random(4)}.${random(4)}.${1 + random(250)}/${pick([8, 16, 24, 32])}`
  const ipv6 = () => `fd00:${random(4)}::${(1 + random(250)).toString(16)}/${pick([32, 64, 128])}`
  const prefix = () => `172.${16 + random(8)}.${random(4)}.0/24`
  const mac = () => `02:00:00:00:00:${random(256).toString(16).padStart(2, '0')}`
  const often = (line: () => string) => [line, line, line]
  return pick([
    ...often(() => `link set ${name()} up`),
    ...often(() => `addr add ${ipv4()} dev ${name()}`),
    ...often(() => `addr add ${ipv6()} dev ${name()}`),
    ...often(() => `route add ${prefix()} dev ${name()}`),
    ...often(() => `-6 route add fd01:${random(4)}::/64 dev ${name()} metric ${1 + random(3)}`),
    ...often(() => `neigh replace 10.9.0.${random(9)} lladdr ${mac()} dev ${name()}`),
    () => `addr del 10.${random(4)}.${random(4)}.${1 + random(250)}/24 dev ${name()}`,
    () => `link add ${name()} type veth peer name ${name()}`,
    () => `link add ${name()} type veth peer name ${name()} netns ${pick(NAMESPACES)}`,
    () => `link add ${bridge()} type bridge`,
    () => `link add ${name()} type vxlan id ${random(1000)} dstport 4789 local 10.0.0.${1 + random(200)}`,
    () => `link add ${name()} link ${name()} type macvlan mode bridge`,
    () => `tuntap add ${name()} mode ${pick(['tap', 'tun'])}`,
    () => `link del ${name()}`,
    () => `link set ${name()} down`,
    () => `link set ${name()} master ${bridge()}`,
    () => `link set ${name()} nomaster`,
    () => `link set ${name()} mtu ${1000 + random(500)}`,
    () => `link set ${name()} address ${mac()}`,
    () => `link set ${name()} name ${name()}`,
    () => `link set ${name()} netns ${pick(NAMESPACES)}`,
    () => `addr flush dev ${name()}`,
    () => `route add ${prefix()} dev ${name()} metric ${random(3)} table ${100 + random(3)}`,
    () => `route replace ${prefix()} dev ${name()}`,
    () => `route append ${prefix()} dev ${name()}`,
    () => `route del ${prefix()}`,
    () => `route add ${prefix()} nexthop dev ${name()} nexthop dev ${name()}`,
    () => `route add default dev ${name()}`,
    () => `-6 route append fd01:${random(4)}::/64 dev ${name()}`,
    () => `-6 route del fd01:${random(4)}::/64`,
    () => `neigh add 10.9.0.${random(9)} lladdr ${mac()} dev ${name()}`,
    () => `neigh del 10.9.0.${random(9)} dev ${name()}`,
  ])()
}

/** Runs lines and goes on after those that the kernel refuses. */
function runAll(lines: readonly string[], namespace: string | undefined): void {
  const batch = lines.map((line) => `${line}\n`).join('')
  const within = namespace === undefined ? '' : `-netns ${namespace}`
  host.network.run('sh', ['-c', `ip ${within} -force -batch - >/dev/null 2>&1 <<'END'\n${batch}END\ntrue`])
}

/** The seeds to run: those of `SKYDIVE_SEEDS` (separated by commas) alone, or two that stay and one that is new each time. */
const seeds = process.env['SKYDIVE_SEEDS']?.split(',').map(Number) ?? [1, 20260101, Date.now() % 1_000_000]

describe('after random operations', () => {
  test.each(seeds)(
    'the graph equals what iproute2 prints (SKYDIVE_SEEDS=%i)',
    async (seed) => {
      const random = generator(seed)
      await host.start({ metricsIntervalMs: 86_400_000 })
      for (const name of NAMESPACES) host.addNamespace(name)
      for (let round = 0; round < ROUNDS; round++) {
        const place = random(4) < 2 ? undefined : NAMESPACES[random(NAMESPACES.length)]
        runAll(
          Array.from({ length: OPERATIONS / ROUNDS }, () => operation(random)),
          place,
        )
      }
      expect({ seed, differences: await differencesLeft() }).toEqual({ seed, differences: [] })
    },
    120_000,
  )
})

/**
 * What differs between iproute2 and the graph once both agree or {@link AGREEMENT_MS} are over. They may differ for a while: iproute2 shows
 * an IPv6 address from its first moment, the kernel tells of it when nobody else turned out to have it, a second or two later.
 */
async function differencesLeft(): Promise<readonly string[]> {
  const endMs = performance.now() + AGREEMENT_MS
  for (;;) {
    const differences = compare(host, ['', ...NAMESPACES])
    const leftMs = endMs - performance.now()
    if (differences.length === 0 || leftMs <= 0) return differences
    await changeOrTimeout(Math.min(leftMs, LOOK_AGAIN_MS))
  }
}

/** Resolves with the next change of the graph, after `timeoutMs` at the latest. */
function changeOrTimeout(timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const timer = setTimeout(done, timeoutMs)
    const stop = host.graph.subscribe(done)
  })
}
