import type { FlowDhcpv4 } from '@skydive/contracts'

const HEADER_BYTES = 240
const MAGIC_COOKIE = 0x63825363
const SERVER_NAME = { at: 44, bytes: 64 } as const
const FILE = { at: 108, bytes: 128 } as const

/** Whether `[offset, end)` is a DHCPv4 message with its magic cookie (RFC 2131 section 3). */
export function isDhcpv4(view: DataView, offset: number, end: number): boolean {
  return offset + HEADER_BYTES <= end && view.getUint32(offset + HEADER_BYTES - 4) === MAGIC_COOKIE
}

/** What flows show of the DHCPv4 message in `[offset, end)` (RFC 2131 section 2); `undefined` when it is none. */
export function decodeDhcpv4(view: DataView, offset: number, end: number): FlowDhcpv4 | undefined {
  if (!isDhcpv4(view, offset, Math.min(end, view.byteLength))) return undefined
  const hardwareBytes = view.getUint8(offset + 2)
  const hops = view.getUint8(offset + 3)
  const secs = view.getUint16(offset + 8)
  const flags = view.getUint16(offset + 10)
  const serverName = terminated(view, offset + SERVER_NAME.at, SERVER_NAME.bytes)
  const file = terminated(view, offset + FILE.at, FILE.bytes)
  return {
    ...(hardwareBytes !== 0 && { hardware_len: hardwareBytes }),
    ...(hops !== 0 && { hardware_opts: hops }),
    ...(secs !== 0 && { secs }),
    ...(flags !== 0 && { flags }),
    ...(serverName !== '' && { server_name: serverName }),
    ...(file !== '' && { file }),
  }
}

/** Characters up to a zero byte. */
function terminated(view: DataView, at: number, maxBytes: number): string {
  let text = ''
  for (let i = 0; i < maxBytes; i++) {
    const code = view.getUint8(at + i)
    if (code === 0) break
    text += String.fromCharCode(code)
  }
  return text
}
