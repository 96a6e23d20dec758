import { FIELD, NetflowDecoder, type NetflowLimits } from '../src/netflow/index.ts'

/** The time at which tests run. */
export const NOW_MS = 1_700_000_000_000
/** The same in seconds. */
export const NOW_S = NOW_MS / 1000

/** A decoder and what it handed over, each record with the fields that it has. */
export function reading(limits?: NetflowLimits) {
  const records: Record<string, unknown>[] = []
  const decoder = new NetflowDecoder(
    {
      record({ values, addresses, ipVersion, samplingRate, exporter, domainId }) {
        const fields = Object.entries(FIELD).flatMap(([name, at]) => (values[at] === 0 ? [] : [[name, values[at]]]))
        const words = (from: number) => [...addresses.subarray(from, from + (ipVersion === 6 ? 4 : 1))].map((word) => word >>> 0)
        records.push({
          ...Object.fromEntries(fields),
          ...(ipVersion !== 0 && { source: words(0), destination: words(4) }),
          ...(samplingRate !== 1 && { samplingRate }),
          from: `${exporter.name}/${domainId}`,
        })
      },
    },
    limits,
  )
  const read = (bytes: Uint8Array, exporter = 'r', receivedMs = NOW_MS) => {
    // The view ends where the datagram ends: reading on would throw.
    decoder.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, exporter, receivedMs)
    return records.splice(0)
  }
  /** Counts that are not 0. */
  const counts = () => Object.fromEntries(Object.entries(decoder.counts).filter(([, value]) => value !== 0))
  return { decoder, read, counts }
}

/** An IPv4 address as a number. */
export const ip = (...bytes: [number, number, number, number]) => new DataView(Uint8Array.from(bytes).buffer).getUint32(0)
/** Pieces of bytes one after the other. */
export const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))
