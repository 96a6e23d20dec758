import { ProtocolError } from '@skydive/contracts'
import type { Framing } from './envelope.ts'
import type { UpdatePolicy } from './graph-message.ts'

/** Headers of the WebSocket handshake (spec platform 2.2). Browsers give the same names in lower case as query parameters. */
export const HEADER = {
  hostId: 'X-Host-ID',
  clientType: 'X-Client-Type',
  serviceType: 'X-Service-Type',
  protocol: 'X-Client-Protocol',
  namespace: 'X-Websocket-Namespace',
  gremlinFilter: 'X-Gremlin-Filter',
  updatePolicy: 'X-Update-Policy',
  persistencePolicy: 'X-Persistence-Policy',
  /** Ours: `<epoch>:<version>` to resume there, anything else (`new`) to say that cursors are understood. */
  cursor: 'X-Skydive-Cursor',
  /** Ours: flow batches are numbered and acknowledged. */
  flowBatches: 'X-Skydive-Flow-Batches',
  /** Ours: the members of the Flow JSON that a subscriber wants, separated by commas. */
  flowFields: 'X-Skydive-Flow-Fields',
  /** Ours: how many flows a second a subscriber wants at most. */
  flowRate: 'X-Skydive-Flow-Rate',
  /** Ours: `protobuf` for flows as protobuf inside the envelope; `json` is the default. */
  flowFormat: 'X-Skydive-Flow-Format',
} as const

/**
 * The header that carries cookies, such as those that a proxy before the server wants (`http.cookie`): `{ a: '1', b: '2' }` is
 * `{ Cookie: 'a=1; b=2' }`; no cookies are no header.
 */
export function cookieHeader(cookies: Readonly<Record<string, string>> = {}): { readonly Cookie?: string } {
  const pairs = Object.entries(cookies).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? {} : { Cookie: pairs.join('; ') }
}

/** What a client said of itself while connecting. */
export interface Handshake {
  readonly hostId: string
  /** `agent`, `analyzer`, `webui`, … */
  readonly clientType: string
  readonly framing: Framing
  /** Namespaces that the client wants; `*` is everything. */
  readonly namespaces: readonly string[]
  readonly gremlinFilter: string
  readonly updatePolicy: UpdatePolicy
  readonly deleteOnDisconnect: boolean
  /** The raw text of {@link HEADER.cursor}; `undefined` for peers that know no cursors. */
  readonly cursor: string | undefined
  readonly flowBatches: boolean
  /** Empty: all. */
  readonly flowFields: readonly string[]
  /** Absent: as many as there are. */
  readonly flowsPerSecond?: number
  readonly flowFormat: 'json' | 'protobuf'
}

/** Looks a header or query parameter up; several values come joined with `, `. */
export type ParameterLookup = (name: string) => string | undefined

/**
 * Reads the parameters of a connection. `remote` names clients that give no host id.
 *
 * @throws ERR_PROTOCOL when the client type is missing or the protocol or policy is unknown: the connection must be closed. Of headers that are ours
 * the error has the name, as `fields.header`.
 */
export function parseHandshake(lookup: ParameterLookup, remote: string): Handshake {
  const clientType = lookup(HEADER.clientType) ?? ''
  if (clientType === '') {
    throw new ProtocolError(`the client type is missing: send the header ${HEADER.clientType} or the parameter x-client-type`)
  }
  const protocol = lookup(HEADER.protocol) ?? ''
  if (protocol !== '' && protocol !== 'json' && protocol !== 'protobuf') {
    throw new ProtocolError(`unknown client protocol ${JSON.stringify(protocol)}: use json or protobuf`, { value: protocol })
  }
  const updatePolicy = lookup(HEADER.updatePolicy) || 'full'
  if (updatePolicy !== 'full' && updatePolicy !== 'partial') {
    throw new ProtocolError(`unknown update policy ${JSON.stringify(updatePolicy)}: use full or partial`, { value: updatePolicy })
  }
  const flowFormat = lookup(HEADER.flowFormat) || 'json'
  if (flowFormat !== 'json' && flowFormat !== 'protobuf') {
    throw new ProtocolError(`unknown format of flows ${JSON.stringify(flowFormat)}: use json or protobuf`, {
      header: HEADER.flowFormat,
      value: flowFormat,
    })
  }
  if (flowFormat === 'protobuf' && protocol !== 'protobuf') {
    throw new ProtocolError(`flows as protobuf need the client protocol protobuf: send the header ${HEADER.protocol}`, {
      header: HEADER.flowFormat,
      value: protocol,
    })
  }
  const flowsPerSecond = parseRate(lookup(HEADER.flowRate))
  return {
    hostId: lookup(HEADER.hostId) || remote,
    clientType,
    framing: protocol === 'protobuf' ? 'protobuf' : 'json',
    namespaces: listOf(lookup(HEADER.namespace)),
    gremlinFilter: lookup(HEADER.gremlinFilter) ?? '',
    updatePolicy,
    deleteOnDisconnect: lookup(HEADER.persistencePolicy) === 'DeleteOnDisconnect',
    cursor: lookup(HEADER.cursor),
    flowBatches: lookup(HEADER.flowBatches) !== undefined,
    flowFields: listOf(lookup(HEADER.flowFields)),
    ...(flowsPerSecond !== undefined && { flowsPerSecond }),
    flowFormat,
  }
}

function listOf(text = ''): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function parseRate(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const rate = Number(text)
  if (/^\d{1,9}$/.test(text) && rate > 0) return rate
  throw new ProtocolError(`${HEADER.flowRate} ${JSON.stringify(text)} is no number of flows a second: give 1 or more`, {
    header: HEADER.flowRate,
    value: text,
  })
}
