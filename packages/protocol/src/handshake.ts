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
} as const

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
}

/** Looks a header or query parameter up; several values come joined with `, `. */
export type ParameterLookup = (name: string) => string | undefined

/**
 * Reads the parameters of a connection. `remote` names clients that give no host id.
 *
 * @throws ERR_PROTOCOL when the client type is missing or the protocol or policy is unknown: the connection must be closed.
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
  const namespaces = (lookup(HEADER.namespace) ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return {
    hostId: lookup(HEADER.hostId) || remote,
    clientType,
    framing: protocol === 'protobuf' ? 'protobuf' : 'json',
    namespaces,
    gremlinFilter: lookup(HEADER.gremlinFilter) ?? '',
    updatePolicy,
    deleteOnDisconnect: lookup(HEADER.persistencePolicy) === 'DeleteOnDisconnect',
    cursor: lookup(HEADER.cursor),
    flowBatches: lookup(HEADER.flowBatches) !== undefined,
  }
}
