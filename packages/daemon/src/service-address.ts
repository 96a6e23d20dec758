import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from '@skydive/contracts'

/** A host with a port. */
export interface ServiceAddress {
  readonly host: string
  readonly port: number
}

/**
 * Reads an address of the configuration (spec platform 1.1): `8082` and `:8082` are on `localhost`, then `host:port` and `[v6]:port`;
 * the port may be the name of a service.
 *
 * @throws ERR_INVALID_ARGUMENT naming the text.
 */
export function parseServiceAddress(text: string): ServiceAddress {
  const match = /^(?:(?:\[([0-9a-fA-F:.%\w]+)\]|([^[\]:/\s]*)):)?([A-Za-z0-9-]+)$/.exec(text)
  if (match === null) throw invalid(text, 'expected host:port')
  const [, v6, name, service] = match
  const hasHost = text.includes(':')
  const port = /^\d+$/.test(service!) ? Number(service) : hasHost ? servicePort(service!) : undefined
  if (port === undefined)
    throw invalid(text, hasHost ? `no service ${JSON.stringify(service)} is known` : 'the port is missing: expected host:port')
  if (port > 65_535) throw invalid(text, 'a port is at most 65535')
  return { host: v6 ?? (name || 'localhost'), port }
}

/** The text of an address, with brackets where it needs them. */
export function formatServiceAddress({ host, port }: ServiceAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function servicePort(name: string): number | undefined {
  let services: string
  try {
    services = readFileSync('/etc/services', 'utf8')
  } catch {
    return undefined
  }
  for (const line of services.split('\n')) {
    const [service, place, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    if ((service === name || aliases.includes(name)) && place?.endsWith('/tcp')) return Number(place.slice(0, -4))
  }
  return undefined
}

function invalid(text: string, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`bad address ${JSON.stringify(text)}: ${reason}`, { value: text })
}
