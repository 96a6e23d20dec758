import { decodeAddress } from './decode-address.ts'
import { decodeLink } from './decode-link.ts'
import { decodeNeighbor } from './decode-neighbor.ts'
import { decodeRoute } from './decode-route.ts'
import type { NamespaceMirror } from './namespace-mirror.ts'
import type { MessageVisitor } from './route-socket.ts'
import {
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELNEIGH,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
} from './rtnetlink.ts'

/** Tells a mirror one piece of the kernel's news; kinds that are none of its business are ignored. @throws ERR_DECODE. */
export function applyMessage(mirror: NamespaceMirror, ...[bytes, message]: Parameters<MessageVisitor>): void {
  const { type, flags, start, end } = message
  switch (type) {
    case RTM_NEWLINK:
      mirror.applyLink(decodeLink(bytes, start, end))
      break
    case RTM_DELLINK:
      mirror.removeLink(decodeLink(bytes, start, end))
      break
    case RTM_NEWADDR:
      mirror.applyAddress(decodeAddress(bytes, start, end))
      break
    case RTM_DELADDR:
      mirror.removeAddress(decodeAddress(bytes, start, end))
      break
    case RTM_NEWNEIGH:
      mirror.applyNeighbor(decodeNeighbor(bytes, start, end))
      break
    case RTM_DELNEIGH:
      mirror.removeNeighbor(decodeNeighbor(bytes, start, end))
      break
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const route = decodeRoute(bytes, start, end)
      if (route && type === RTM_NEWROUTE) mirror.applyRoute(route, flags)
      else if (route) mirror.removeRoute(route)
    }
  }
}
