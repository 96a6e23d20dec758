// Protobuf (https://protobuf.dev/programming-guides/encoding) and the texts in it. Each function takes a position in memory and answers the
// one after what it put there.

const WIRE_BYTES = 2
const COLON = 58
const DOT = 46
const ZERO = 48
const GROUPS = 8
/** Groups of zeros before `ffff` in an IPv4-mapped address. */
const MAPPED_ZEROS = 5

function putVarint(at: i32, value: u64): i32 {
  for (; value > 0x7f; value >>= 7) store<u8>(at++, <u8>value | 0x80)
  store<u8>(at, <u8>value)
  return at + 1
}

/** The tag of a string. */
export function putTag(at: i32, field: i32): i32 {
  return putVarint(at, (field << 3) | WIRE_BYTES)
}

/** The tag of an inner message and room for its length: answers where the message begins. */
export function putMessageTag(at: i32, field: i32): i32 {
  return putTag(at, field) + 1
}

/** A field of a whole number: nothing for 0, as proto3 wants it, and ten bytes for negative ones. */
export function putNumber(at: i32, field: i32, value: f64): i32 {
  return value === 0 ? at : putVarint(putVarint(at, field << 3), <u64>(<i64>value))
}

/** Bytes from elsewhere in memory. */
export function putBytes(at: i32, from: i32, length: i32): i32 {
  // Short as they are, they are copied sooner than a call of memory.copy is prepared.
  for (let i = 0; i < length; i++) store<u8>(at + i, load<u8>(from + i))
  return at + length
}

function hexDigit(nibble: i32): i32 {
  return nibble < 10 ? 48 + nibble : 87 + nibble
}

/** In lower-case hexadecimal without leading zeros, its length before it. */
export function putHex(at: i32, value: u64): i32 {
  const end = putHexDigits(at + 1, value)
  store<u8>(at, end - at - 1)
  return end
}

/** The same without the length. */
export function putHexDigits(at: i32, value: u64): i32 {
  const digits = value === 0 ? 1 : 16 - (<i32>clz<u64>(value) >> 2)
  for (let i = at + digits - 1; i >= at; i--) {
    store<u8>(i, hexDigit(<i32>value & 15))
    value >>= 4
  }
  return at + digits
}

/** A MAC address from its first four and last two bytes, its length before it: `02:00:00:00:01:02`. */
export function putMac(at: i32, high: i32, low: i32): i32 {
  store<u8>(at++, 17)
  for (let i = 0; i < 6; i++) {
    const byte = i < 4 ? high >>> (24 - i * 8) : low >>> (40 - i * 8)
    store<u8>(at, hexDigit((byte >>> 4) & 15))
    store<u8>(at + 1, hexDigit(byte & 15))
    store<u8>(at + 2, COLON)
    at += 3
  }
  // The colon after the last byte is written over.
  return at - 1
}

/** An IPv4 address from its big-endian word, its length before it. */
export function putIpv4(at: i32, address: i32): i32 {
  const end = putDotted(at + 1, address)
  store<u8>(at, end - at - 1)
  return end
}

function putDotted(at: i32, address: i32): i32 {
  for (let shift = 24; shift >= 0; shift -= 8) {
    const octet = (address >>> shift) & 0xff
    if (octet > 99) store<u8>(at++, ZERO + octet / 100)
    if (octet > 9) store<u8>(at++, ZERO + ((octet / 10) % 10))
    store<u8>(at++, ZERO + (octet % 10))
    store<u8>(at++, DOT)
  }
  return at - 1
}

/** An IPv6 address from its four big-endian words at `from`, compressed as RFC 5952 sections 4 and 5 say, its length before it. */
export function putIpv6(at: i32, from: i32): i32 {
  let runStart = 0
  let runLength = 0
  for (let i = 0, length = 0; i < GROUPS; i++) {
    length = group(from, i) === 0 ? length + 1 : 0
    if (length > runLength) {
      runLength = length
      runStart = i - length + 1
    }
  }
  const isMapped = runStart === 0 && runLength === MAPPED_ZEROS && group(from, MAPPED_ZEROS) === 0xffff
  const last = isMapped ? MAPPED_ZEROS + 1 : GROUPS
  let end = at + 1
  for (let i = 0; i < last; i++) {
    if (runLength > 1 && i === runStart) {
      store<u8>(end++, COLON)
      if (i === 0) store<u8>(end++, COLON)
      i += runLength - 1
    } else {
      end = putGroup(end, group(from, i))
      if (i < GROUPS - 1) store<u8>(end++, COLON)
    }
  }
  if (isMapped) end = putDotted(end, load<i32>(from + 12))
  store<u8>(at, end - at - 1)
  return end
}

function group(from: i32, index: i32): i32 {
  return (load<i32>(from + ((index >> 1) << 2)) >>> ((index & 1) === 0 ? 16 : 0)) & 0xffff
}

function putGroup(at: i32, value: i32): i32 {
  for (let shift = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0; shift >= 0; shift -= 4) {
    store<u8>(at++, hexDigit((value >>> shift) & 15))
  }
  return at
}
