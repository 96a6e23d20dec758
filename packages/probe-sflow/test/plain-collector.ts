/** A flow as {@link PlainCollector} keeps it. */
interface PlainFlow {
  packets: number
  bytes: number
  lastMs: number
}

/**
 * The same work as one would write it down at first, as what ours is measured beside: an object for each sample, a map from text to flows. It
 * knows flow samples of Ethernet, IPv4 and TCP in the compact form, and trusts what it reads.
 */
export class PlainCollector {
  readonly flows = new Map<string, PlainFlow>()

  consume(view: DataView, offset: number, nowMs: number): void {
    const samples = view.getUint32(offset + 24)
    let at = offset + 28
    for (let i = 0; i < samples; i++) {
      const end = at + 8 + view.getUint32(at + 4)
      if (view.getUint32(at) === 1) this.#sample(view, at + 8, nowMs)
      at = end
    }
  }

  #sample(view: DataView, start: number, nowMs: number): void {
    const rate = view.getUint32(start + 8)
    let at = start + 32
    for (let left = view.getUint32(start + 28); left > 0; left--) {
      if (view.getUint32(at) === 1)
        this.#count(packetOf(view, at + 24), view.getUint32(at + 12) - view.getUint32(at + 16), rate, nowMs)
      at += 8 + view.getUint32(at + 4)
    }
  }

  #count(packet: ReturnType<typeof packetOf>, bytes: number, rate: number, nowMs: number): void {
    const key = Object.values(packet).join('|')
    const flow = this.flows.get(key)
    if (!flow) {
      this.flows.set(key, { packets: rate, bytes: bytes * rate, lastMs: nowMs })
      return
    }
    flow.packets += rate
    flow.bytes += bytes * rate
    flow.lastMs = nowMs
  }
}

function packetOf(view: DataView, at: number) {
  return {
    destinationMac: view.getUint16(at) * 0x100000000 + view.getUint32(at + 2),
    sourceMac: view.getUint16(at + 6) * 0x100000000 + view.getUint32(at + 8),
    protocol: view.getUint8(at + 23),
    source: view.getUint32(at + 26),
    destination: view.getUint32(at + 30),
    sourcePort: view.getUint16(at + 34),
    destinationPort: view.getUint16(at + 36),
  }
}
