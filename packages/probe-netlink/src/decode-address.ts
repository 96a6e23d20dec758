import { readIp } from './ip-text.ts'
import { type Bytes, needBytes, readAttributes } from './wire.ts'

/** One RTM_NEWADDR or RTM_DELADDR message. */
export interface Address {
  /** AF_INET or AF_INET6. */
  readonly family: number
  readonly index: number
  /** Address and length of its prefix, such as `10.0.0.1/24`; the local one where the message has a peer's besides. */
  readonly cidr: string
}

const FIXED_BYTES = 8
const IFA_ADDRESS = 1
const IFA_LOCAL = 2

/** Decodes the body of an address message (linux/if_addr.h). @throws ERR_DECODE. */
export function decodeAddress(bytes: Bytes, start: number, end: number): Address {
  needBytes(start, end, FIXED_BYTES, 'address message')
  let address = ''
  let local = ''
  readAttributes(bytes, start + FIXED_BYTES, end, (type, at, length) => {
    if (type === IFA_ADDRESS) address = readIp(bytes, at, length)
    else if (type === IFA_LOCAL) local = readIp(bytes, at, length)
  })
  return {
    family: bytes.view.getUint8(start),
    index: bytes.view.getUint32(start + 4, true),
    cidr: `${local || address}/${bytes.view.getUint8(start + 1)}`,
  }
}
