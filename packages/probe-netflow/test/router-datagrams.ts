import { BytesWriter } from '../../packet/test/bytes-writer.ts'
import { fieldsOf, writeIpfix, writeNetflow9, writeRecord, writeSet, writeTemplate } from '../../packet/test/netflow-writer.ts'

/** When the datagrams are sent and come. */
export const NOW_MS = 1_700_000_000_000
/** Records of a datagram. */
export const RECORDS = 28

const FIELDS = {
  9: fieldsOf('8:4 12:4 15:4 10:4 14:4 2:4 1:4 22:4 21:4 7:2 11:2 6:1 4:1 5:1 16:2 17:2 9:1 13:1'),
  10: fieldsOf('8:4 12:4 15:4 10:4 14:4 2:8 1:8 152:8 153:8 7:2 11:2 6:1 4:1 5:1 16:4 17:4 9:1 13:1'),
}

/** What a router sends of `flows` flows, records of 18 fields: a datagram with the template, then datagrams of 28 records each. */
export function routerDatagrams(version: 9 | 10, flows: number): readonly Uint8Array[] {
  const fields = FIELDS[version]
  const [start, end] = version === 9 ? [1000, 2000] : [NOW_MS - 4000, NOW_MS - 3000]
  const wrap = (sets: readonly Uint8Array[]) =>
    version === 9
      ? writeNetflow9({ count: RECORDS, uptimeMs: 5000, exportSeconds: NOW_MS / 1000, sequence: 1, sourceId: 1 }, sets)
      : writeIpfix({ exportSeconds: NOW_MS / 1000, sequence: 1, domainId: 1 }, sets)
  const data = Array.from({ length: flows / RECORDS }, (_, i) => {
    const records = new BytesWriter()
    for (let j = 0; j < RECORDS; j++) {
      const flow = i * RECORDS + j
      records.bytes(
        writeRecord(fields, [0x0a000000 + flow, 0x0aff0001, 0, 3, 4, 10, 1000, start!, end!, 1024, 80, 0x1b, 6, 0, 1, 2, 24, 24]),
      )
    }
    return wrap([writeSet(256, records.take())])
  })
  return [wrap([writeSet(version === 9 ? 0 : 2, writeTemplate(256, fields))]), ...data]
}
