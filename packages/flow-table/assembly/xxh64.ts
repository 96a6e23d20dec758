// XXH64 with the 64-bit numbers that it is meant for. Source: the xxHash specification,
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH64 algorithm description".

// In halves, as the tools that read this file as TypeScript know no whole numbers of 64 bits.
const P1: u64 = (0x9e3779b1 << 32) | 0x85ebca87
const P2: u64 = (0xc2b2ae3d << 32) | 0x27d4eb4f
const P3: u64 = (0x165667b1 << 32) | 0x9e3779f9
const P4: u64 = (0x85ebca77 << 32) | 0xc2b2ae63
const P5: u64 = (0x27d4eb2f << 32) | 0x165667c5

/** The hash of `length` bytes of memory. */
export function xxh64(at: i32, length: i32, seed: u64): u64 {
  const end = at + length
  let hash = seed + P5
  if (length >= 32) {
    let first = seed + P1 + P2
    let second = seed + P2
    let third = seed
    let fourth = seed - P1
    for (; at + 32 <= end; at += 32) {
      first = round(first, load<u64>(at))
      second = round(second, load<u64>(at + 8))
      third = round(third, load<u64>(at + 16))
      fourth = round(fourth, load<u64>(at + 24))
    }
    hash = rotl<u64>(first, 1) + rotl<u64>(second, 7) + rotl<u64>(third, 12) + rotl<u64>(fourth, 18)
    hash = merge(merge(merge(merge(hash, first), second), third), fourth)
  }
  hash += <u64>length
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * P1 + P4
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3
    at += 4
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * P5), 11) * P1
  hash = (hash ^ (hash >> 33)) * P2
  hash = (hash ^ (hash >> 29)) * P3
  return hash ^ (hash >> 32)
}

function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * P2, 31) * P1
}

function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * P1 + P4
}
