import { InvalidArgumentError } from '@skydive/contracts'

/** Domains of sockets: linux/socket.h. */
export const AF_INET = 2
export const AF_INET6 = 10

/**
 * `struct sockaddr_in` or `sockaddr_in6`. `purpose` is what the address is for: the error begins with it.
 * @throws ERR_INVALID_ARGUMENT for what is no address.
 */
export function socketAddress(purpose: string, address: string, port: number): Uint8Array {
  const bytes = address.includes(':') ? parseIpv6(address) : parseIpv4(address)
  if (!bytes) {
    throw new InvalidArgumentError(`${purpose}: "${address}" is no IP address; give one such as 0.0.0.0 or ::`, {
      address,
    })
  }
  const isV4 = bytes.length === 4
  const name = new Uint8Array(isV4 ? 16 : 28)
  const view = new DataView(name.buffer)
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true)
  view.setUint16(2, port)
  name.set(bytes, isV4 ? 4 : 8)
  return name
}

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256) ? parts.map(Number) : undefined
}

function parseIpv6(text: string): readonly number[] | undefined {
  const [left = '', right, ...more] = text.split('::')
  const groups = (side: string) => (side === '' ? [] : side.split(':'))
  const [head, tail] = [groups(left), groups(right ?? '')]
  const missing = 8 - head.length - tail.length
  if (more.length > 0 || (right === undefined ? missing !== 0 : missing < 1)) return undefined
  const all = [...head, ...Array<string>(right === undefined ? 0 : missing).fill('0'), ...tail]
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
}
