const OPCODE_TEXT = 0x81
const OPCODE_BINARY = 0x82

/**
 * A whole unmasked WebSocket frame (RFC 6455 section 5.2), final and uncompressed: what a server may write to any number of sockets.
 * Made once a message, because framing for each subscriber costs more than everything else of a broadcast.
 */
export function frameText(text: string): Buffer {
  return frame(OPCODE_TEXT, Buffer.from(text, 'utf8'))
}

/** The same for a binary message. */
export function frameBinary(payload: Uint8Array): Buffer {
  return frame(OPCODE_BINARY, payload)
}

function frame(opcode: number, payload: Uint8Array): Buffer {
  const length = payload.length
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const out = Buffer.allocUnsafe(headerBytes + length)
  out[0] = opcode
  if (headerBytes === 2) {
    out[1] = length
  } else if (headerBytes === 4) {
    out[1] = 126
    out.writeUInt16BE(length, 2)
  } else {
    out[1] = 127
    out.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    out.writeUInt32BE(length % 2 ** 32, 6)
  }
  out.set(payload, headerBytes)
  return out
}
