import { type Bytes, needBytes, readAttributes } from './wire.ts'

/** One RTM_NEWNSID, RTM_DELNSID or answer to RTM_GETNSID (linux/net_namespace.h). -1: no id has been given. */
export interface NamespaceId {
  readonly nsid: number
  /** The id of the same namespace in that of the socket, when one was asked about a third namespace. */
  readonly currentNsid: number
}

const FIXED_BYTES = 4
const NETNSA_NSID = 1
const NETNSA_CURRENT_NSID = 5

/** Decodes the body of a namespace-id message. @throws ERR_DECODE. */
export function decodeNamespaceId(bytes: Bytes, start: number, end: number): NamespaceId {
  needBytes(start, end, FIXED_BYTES, 'namespace id message')
  let nsid = -1
  let currentNsid = -1
  readAttributes(bytes, start + FIXED_BYTES, end, (type, at, length) => {
    if (length < 4) return
    if (type === NETNSA_NSID) nsid = bytes.view.getInt32(at, true)
    else if (type === NETNSA_CURRENT_NSID) currentNsid = bytes.view.getInt32(at, true)
  })
  return { nsid, currentNsid }
}
