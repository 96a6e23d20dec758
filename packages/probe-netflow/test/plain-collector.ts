/** A flow as {@link PlainCollector} keeps it. */
interface PlainFlow {
  packets: number
  bytes: number
  firstMs: number
  lastMs: number
}

/** Names of the fields that are kept, by element. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'bytes'],
  [2, 'packets'],
  [4, 'protocol'],
  [7, 'sourcePort'],
  [8, 'source'],
  [11, 'destinationPort'],
  [12, 'destination'],
  [21, 'last'],
  [22, 'first'],
  [152, 'first'],
  [153, 'last'],
])

/**
 * The same work as one would write it down at first, as what ours is measured beside: an object for each record, a map from text to flows. It
 * knows templates of plain numbers, and trusts what it reads.
 */
export class PlainCollector {
  readonly flows = new Map<string, PlainFlow>()
  readonly #templates = new Map<number, readonly { readonly name: string | undefined; readonly bytes: number }[]>()

  consume(view: DataView, offset: number, byteLength: number): void {
    const isIpfix = view.getUint16(offset) === 10
    let at = offset + (isIpfix ? 16 : 20)
    while (at + 4 <= offset + byteLength) {
      const id = view.getUint16(at)
      const end = at + view.getUint16(at + 2)
      if (id < 256) this.#define(view, at + 4)
      else this.#records(view, id, at + 4, end)
      at = end
    }
  }

  #define(view: DataView, at: number): void {
    this.#templates.set(
      view.getUint16(at),
      Array.from({ length: view.getUint16(at + 2) }, (_, i) => ({
        name: NAMES.get(view.getUint16(at + 4 + i * 4)),
        bytes: view.getUint16(at + 6 + i * 4),
      })),
    )
  }

  #records(view: DataView, id: number, start: number, end: number): void {
    const fields = this.#templates.get(id)
    if (!fields) return
    const recordBytes = fields.reduce((sum, { bytes }) => sum + bytes, 0)
    for (let at = start; at + recordBytes <= end; ) {
      const record: Record<string, number> = {}
      for (const { name, bytes } of fields) {
        if (name !== undefined) record[name] = numberAt(view, at, bytes)
        at += bytes
      }
      this.#count(record)
    }
  }

  #count(record: Record<string, number>): void {
    const { source, destination, protocol, sourcePort, destinationPort, packets = 0, bytes = 0, first = 0, last = 0 } = record
    const key = `${source}|${destination}|${protocol}|${sourcePort}|${destinationPort}`
    const flow = this.flows.get(key)
    if (!flow) {
      this.flows.set(key, { packets, bytes, firstMs: first, lastMs: last })
      return
    }
    flow.packets += packets
    flow.bytes += bytes
    flow.firstMs = Math.min(flow.firstMs, first)
    flow.lastMs = Math.max(flow.lastMs, last)
  }
}

function numberAt(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 2) return view.getUint16(at)
  if (bytes === 4) return view.getUint32(at)
  return Number(view.getBigUint64(at))
}
