import { type BoolFilterOp, DecodeError, type Filter, type SearchQuery, type SortOrder } from '@skydive/contracts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** A question to the flow tables of an agent (spec flows 2.9). `Type` is `SearchQuery`. */
export interface TableQuery {
  readonly Type: string
  readonly Query: SearchQuery
}

/** Its answer: a protobuf `FlowSet` for each table. */
export interface TableReply {
  readonly Status: number
  readonly FlowSetBytes: readonly Uint8Array[]
}

/** Leaf filters with a text value, by field number. */
const TEXT_FILTERS = [
  [1, 'TermStringFilter'],
  [9, 'RegexFilter'],
  [11, 'IPV4RangeFilter'],
  // Ours: the original skips it, and takes the leaf for one that matches everything.
  [12, 'IPV6RangeFilter'],
] as const
const INTEGER_FILTERS = [
  [2, 'TermInt64Filter'],
  [4, 'GtInt64Filter'],
  [5, 'LtInt64Filter'],
  [6, 'GteInt64Filter'],
  [7, 'LteInt64Filter'],
] as const

export function encodeTableQuery(query: TableQuery): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter()
  writer.string(1, query.Type)
  const start = writer.begin(2)
  writeSearchQuery(writer, query.Query)
  writer.end(start)
  return writer.take()
}

/** @throws ERR_DECODE. */
export function decodeTableQuery(bytes: Uint8Array): TableQuery {
  const reader = new WireReader(bytes)
  let type = ''
  let query: SearchQuery = {}
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) type = reader.string()
    else if (field === 2) query = readSearchQuery(reader)
    else reader.skip()
  }
  return { Type: type, Query: query }
}

export function encodeTableReply(reply: TableReply): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter()
  writer.integer(1, reply.Status)
  for (const bytes of reply.FlowSetBytes) writer.element(2, bytes)
  return writer.take()
}

/** @throws ERR_DECODE. */
export function decodeTableReply(bytes: Uint8Array): TableReply {
  const reader = new WireReader(bytes)
  let status = 0
  const sets: Uint8Array[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) status = reader.integer()
    else if (field === 2) sets.push(reader.bytes())
    else reader.skip()
  }
  return { Status: status, FlowSetBytes: sets }
}

function writeSearchQuery(writer: WireWriter, query: SearchQuery): void {
  if (query.Filter) {
    const start = writer.begin(1)
    writeFilter(writer, query.Filter)
    writer.end(start)
  }
  if (query.PaginationRange) {
    const start = writer.begin(2)
    writer.integer(1, query.PaginationRange.From)
    writer.integer(2, query.PaginationRange.To)
    writer.end(start)
  }
  writer.integer(3, query.Sort ? 1 : 0)
  writer.integer(4, query.Dedup ? 1 : 0)
  writer.string(5, query.DedupBy ?? '')
  writer.string(6, query.SortBy ?? '')
  writer.integer(7, query.SortOrder ?? 0)
}

function readSearchQuery(reader: WireReader): SearchQuery {
  const query: { -readonly [K in keyof SearchQuery]: SearchQuery[K] } = {}
  reader.message((field) => {
    switch (field) {
      case 1:
        query.Filter = readFilter(reader)
        break
      case 2: {
        const range = { From: 0, To: 0 }
        reader.message((member) => {
          if (member === 1) range.From = reader.integer()
          else if (member === 2) range.To = reader.integer()
          else reader.skip()
        })
        query.PaginationRange = range
        break
      }
      case 3:
        query.Sort = reader.integer() !== 0
        break
      case 4:
        query.Dedup = reader.integer() !== 0
        break
      case 5:
        query.DedupBy = reader.string()
        break
      case 6:
        query.SortBy = reader.string()
        break
      case 7: {
        const order = reader.integer()
        query.SortOrder = (order >= 0 && order <= 2 ? order : 0) as SortOrder
        break
      }
      default:
        reader.skip()
    }
  })
  return query
}

/** Writes the members of a filter; the caller frames them. */
function writeFilter(writer: WireWriter, filter: Filter): void {
  for (const [field, name] of TEXT_FILTERS) {
    const leaf = filter[name]
    if (leaf) writeLeaf(writer, field, leaf.Key, () => writer.string(2, leaf.Value ?? ''))
  }
  for (const [field, name] of INTEGER_FILTERS) {
    const leaf = filter[name]
    if (leaf) writeLeaf(writer, field, leaf.Key, () => writer.integer(2, leaf.Value ?? 0))
  }
  const { TermBoolFilter: flag, NullFilter: absent, BoolFilter: tree } = filter
  if (flag) writeLeaf(writer, 3, flag.Key, () => writer.integer(2, flag.Value ? 1 : 0))
  if (absent) writeLeaf(writer, 10, absent.Key, () => {})
  if (tree) {
    const start = writer.begin(8)
    writer.integer(1, tree.Op ?? 0)
    for (const child of tree.Filters ?? []) {
      const childStart = writer.begin(2)
      writeFilter(writer, child)
      writer.end(childStart)
    }
    writer.end(start)
  }
}

function writeLeaf(writer: WireWriter, field: number, key: string, writeValue: () => void): void {
  const start = writer.begin(field)
  writer.string(1, key)
  writeValue()
  writer.end(start)
}

function readFilter(reader: WireReader): Filter {
  let filter: Filter = {}
  reader.message((field) => {
    const text = TEXT_FILTERS.find(([number]) => number === field)
    const integer = INTEGER_FILTERS.find(([number]) => number === field)
    if (text) filter = { [text[1]]: readLeaf(reader, '', () => reader.string()) }
    else if (integer) filter = { [integer[1]]: readLeaf(reader, 0, () => reader.integer()) }
    else if (field === 3) filter = { TermBoolFilter: readLeaf(reader, false, () => reader.integer() !== 0) }
    else if (field === 10) filter = { NullFilter: { Key: readLeaf(reader, '', () => reader.string()).Key } }
    else if (field === 8) filter = { BoolFilter: readBoolFilter(reader) }
    else reader.skip()
  })
  return filter
}

function readLeaf<T>(reader: WireReader, zero: T, readValue: () => T): { Key: string; Value: T } {
  const leaf = { Key: '', Value: zero }
  reader.message((field) => {
    if (field === 1) leaf.Key = reader.string()
    else if (field === 2) leaf.Value = readValue()
    else reader.skip()
  })
  return leaf
}

function readBoolFilter(reader: WireReader): NonNullable<Filter['BoolFilter']> {
  const filters: Filter[] = []
  let op: BoolFilterOp = 0
  reader.message((field) => {
    if (field === 1) op = operatorOf(reader.integer(), reader.offset)
    else if (field === 2) filters.push(readFilter(reader))
    else reader.skip()
  })
  return { Op: op, Filters: filters }
}

/** An operator that is none is refused, as it is in JSON: any other reading would answer another question. */
function operatorOf(value: number, offset: number): BoolFilterOp {
  if (value === 0 || value === 1 || value === 2) return value
  throw new DecodeError(`protobuf: BoolFilter.Op is ${value}, not 0 (OR), 1 (AND) or 2 (NOT) (byte ${offset})`, offset)
}
