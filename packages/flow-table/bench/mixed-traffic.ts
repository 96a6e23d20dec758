import { closeSync, openSync, writeSync } from 'node:fs'
import { pcapHeader } from './generate-pcap.ts'

const TEMPLATES = 4096
const BLOCK_BYTES = 1 << 20

/** What a mixed file is made of, in parts of a hundred: what is seen where servers, tunnels and tagged links meet. */
const SHARES = [
  [30, 'tcp'],
  [20, 'tcp6'],
  [20, 'tagged'],
  [15, 'udp'],
  [10, 'vxlan'],
  [5, 'icmp'],
] as const

type Kind = (typeof SHARES)[number][1]

function kindOf(i: number): Kind {
  let share = (i * 37) % 100
  for (const [part, kind] of SHARES) {
    if (share < part) return kind
    share -= part
  }
  return 'udp'
}

const be16 = (value: number) => [(value >> 8) & 0xff, value & 0xff]

/** TCP with the options of a connection that lasts: two NOPs and time stamps. */
function tcp(source: number, destination: number): number[] {
  const options = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
  return [
    ...be16(source),
    ...be16(destination),
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    2,
    0x80,
    0x10,
    0,
    100,
    0,
    0,
    0,
    0,
    ...options,
    ...payload(40),
  ]
}

const payload = (byteLength: number) => new Array<number>(byteLength).fill(0x55)
const udp = (source: number, destination: number, data: readonly number[]) => [
  ...be16(source),
  ...be16(destination),
  ...be16(data.length + 8),
  0,
  0,
  ...data,
]
const ipv4 = (protocol: number, host: number, data: readonly number[]) => [
  0x45,
  0,
  ...be16(20 + data.length),
  0,
  1,
  0x40,
  0,
  64,
  protocol,
  0,
  0,
  10,
  1,
  ...be16(host),
  10,
  2,
  0,
  1,
  ...data,
]
const ipv6 = (protocol: number, host: number, data: readonly number[]) => {
  const address = (low: number) => [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...be16(low)]
  return [0x60, 0, 0, 0, ...be16(data.length), protocol, 64, ...address(host), ...address(1), ...data]
}
const ethernet = (type: readonly number[], data: readonly number[]) => [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, ...type, ...data]

/** A frame of the flow with this number. */
function frame(flow: number): number[] {
  const port = 20_000 + (flow % 40_000)
  switch (kindOf(flow)) {
    case 'tcp':
      return ethernet([8, 0], ipv4(6, flow, tcp(port, 443)))
    case 'tcp6':
      return ethernet([0x86, 0xdd], ipv6(6, flow, tcp(port, 443)))
    case 'tagged':
      return ethernet([0x81, 0, ...be16(100 + (flow % 10)), 8, 0], ipv4(6, flow, tcp(port, 80)))
    case 'udp':
      return ethernet([8, 0], ipv4(17, flow, udp(port, 9999, payload(60))))
    case 'vxlan':
      return ethernet(
        [8, 0],
        ipv4(17, flow % 16, udp(port, 4789, [8, 0, 0, 0, 0, 0, 7, 0, ...ethernet([8, 0], ipv4(6, flow, tcp(port, 80)))])),
      )
    case 'icmp':
      return ethernet([8, 0], ipv4(1, flow, [8, 0, 0, 0, ...be16(flow), 0, 1, ...payload(56)]))
  }
}

/** Writes a file of mixed traffic in {@link TEMPLATES} flows. */
export function writeMixedPcap(file: string, packets: number): void {
  const records = Array.from({ length: TEMPLATES }, (_, flow) => {
    const data = frame(flow)
    const record = Buffer.alloc(16 + data.length)
    record.writeUInt32LE(data.length, 8)
    record.writeUInt32LE(data.length, 12)
    record.set(data, 16)
    return record
  })
  const fd = openSync(file, 'w')
  writeSync(fd, pcapHeader())
  const block = Buffer.alloc(BLOCK_BYTES + 512)
  let used = 0
  let random = 12_345
  for (let i = 0; i < packets; i++) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    const record = records[random >>> 20]!
    record.writeUInt32LE(1_700_000_000 + Math.floor(i / 1e6), 0)
    record.writeUInt32LE(i % 1e6, 4)
    used += record.copy(block, used)
    if (used < BLOCK_BYTES) continue
    writeSync(fd, block, 0, used)
    used = 0
  }
  writeSync(fd, block, 0, used)
  closeSync(fd)
}
