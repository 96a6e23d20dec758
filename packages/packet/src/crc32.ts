/** CRC-32 of IEEE 802.3, reflected. */
const POLYNOMIAL = 0xedb88320

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1
  return remainder
})

/** CRC-32 as Ethernet has it (IEEE 802.3, clause 3.2.9), of `bytes[from..to)`. Costs no memory. */
export function crc32(bytes: Uint8Array, from: number, to: number): number {
  let remainder = 0xffffffff
  for (let at = from; at < to; at++) remainder = (remainder >>> 8) ^ TABLE[(remainder ^ bytes[at]!) & 0xff]!
  return (remainder ^ 0xffffffff) >>> 0
}
