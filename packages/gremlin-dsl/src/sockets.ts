import type { Flow, GraphView, MetadataObject, MetadataValue } from '@skydive/contracts'
import type { Budget } from './budget.ts'

/** The entries of a node's `Sockets`; `undefined` when it has none. Handed to who needs it here: this is loaded when it is first needed. */
export type SocketList = (value: MetadataValue | undefined) => readonly MetadataObject[] | undefined

function tuple(protocol: unknown, a: unknown, aPort: unknown, b: unknown, bPort: unknown): string {
  return `${protocol} ${a} ${aPort} ${b} ${bPort}`
}

/** The sockets of all nodes by protocol, addresses and ports. */
export class SocketIndex {
  readonly #byTuple = new Map<string, MetadataObject[]>()

  constructor(view: GraphView, budget: Budget, socketList: SocketList) {
    view.forEachNode((row) => {
      budget.visit()
      for (const socket of socketList(view.node(row).metadata['Sockets']) ?? []) this.#add(socket)
      return true
    })
  }

  /** The sockets at either end of a TCP or UDP flow. */
  find({ Network, Transport }: Flow): readonly MetadataObject[] {
    if (!Network || !Transport || (Transport.Protocol !== 'TCP' && Transport.Protocol !== 'UDP')) return []
    const { Protocol, A, B } = Transport
    return [
      ...(this.#byTuple.get(tuple(Protocol, Network.A, A, Network.B, B)) ?? []),
      ...(this.#byTuple.get(tuple(Protocol, Network.B, B, Network.A, A)) ?? []),
    ]
  }

  #add(socket: MetadataObject): void {
    const { Protocol, LocalAddress, LocalPort, RemoteAddress, RemotePort } = socket
    const key = tuple(Protocol, LocalAddress, LocalPort, RemoteAddress, RemotePort)
    const known = this.#byTuple.get(key)
    if (known) known.push(socket)
    else this.#byTuple.set(key, [socket])
  }
}
