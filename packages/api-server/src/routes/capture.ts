import {
  ConflictError,
  type GraphSource,
  InvalidArgumentError,
  type KeyValueEntry,
  type KeyValueStore,
  randomId,
} from '@skydive/contracts'
import {
  CAPTURE_NOTIFICATION_NAMESPACE,
  type Capture,
  captureSchema,
  checkCapture,
  isDuplicateCapture,
  isShareableCaptureType,
  type MessageInit,
  toWireCapture,
} from '@skydive/protocol'
import type { ResourceOptions } from '../options.ts'
import type { Resource } from './resource.ts'

const PREFIX = '/capture/'
/** Refusals of one capture that are told: an expression may match thousands of nodes. */
const TOLD_REFUSALS = 20

/** Captures: kept in the key-value store, counted on the graph. */
export function captureResource(options: ResourceOptions, graph: GraphSource): Resource {
  const { store, captureRefusals = () => [] } = options
  const answerOf = (entry: KeyValueEntry, counts: ReadonlyMap<string, number>): object => {
    const capture = readCapture(entry)
    const refusals = captureRefusals(capture.UUID).slice(0, TOLD_REFUSALS)
    return {
      ...toWireCapture({ ...capture, Count: counts.get(capture.UUID) ?? 0 }),
      ...(refusals.length > 0 && {
        Refusals: refusals.map(({ nodeId, host, reason }) => ({ NodeID: nodeId, Host: host, Reason: reason })),
      }),
    }
  }
  return {
    name: 'capture',
    title: 'Capture',

    async list() {
      const [entries, counts] = await Promise.all([store.list(PREFIX), countActive(graph)])
      return new Map(entries.map((entry) => [entry.key.slice(PREFIX.length), answerOf(entry, counts)]))
    },

    async read(id) {
      const entry = await store.get(PREFIX + id)
      return entry && answerOf(entry, await countActive(graph))
    },

    async create(body, { ttlMs }) {
      const parsed = captureSchema.safeParse(body)
      if (!parsed.success) {
        const issue = parsed.error.issues[0]
        throw new InvalidArgumentError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
          field: issue?.path.join('.'),
        })
      }
      await checkCapture(parsed.data, options.validators)
      for (const entry of await store.list(PREFIX)) {
        const existing = readCapture(entry)
        if (isDuplicateCapture(existing, parsed.data)) throw duplicate(entry.key.slice(PREFIX.length), existing)
      }
      const capture: Capture = {
        ...parsed.data,
        UUID: randomId(),
        Count: 0,
        LayerKeyMode: parsed.data.LayerKeyMode || (options.defaultLayerKeyMode ?? 'L2'),
      }
      const wire = toWireCapture(capture)
      await store.create(PREFIX + capture.UUID, JSON.stringify(wire), ttlMs === undefined ? undefined : { ttlMs })
      return wire
    },

    remove: (id) => store.delete(PREFIX + id),
  }
}

/** The text of the original, then which one is in the way and what makes the two alike. */
function duplicate(id: string, { Name, Type }: Capture): ConflictError {
  const alike = isShareableCaptureType(Type) ? 'the same type, query and filter' : `the same type, ${Type}, and query`
  return new ConflictError(`duplicated resource\ncapture ${id}${Name === '' ? '' : ` (${Name})`} has ${alike}`, { id })
}

/** Tells subscribers of captures that come and go, whoever wrote them (spec platform 2.5). Answers how to stop. */
export function notifyCaptures(store: KeyValueStore, notify: (message: MessageInit) => void): () => void {
  return store.watch(PREFIX, ({ type, entry }) => {
    notify({ namespace: CAPTURE_NOTIFICATION_NAMESPACE, type: type === 'set' ? 'Added' : 'Deleted', json: entry.value })
  })
}

function readCapture(entry: KeyValueEntry): Capture {
  return captureSchema.parse(JSON.parse(entry.value))
}

/** Nodes on which each capture is active, by capture id; one pass over the nodes. */
async function countActive(graph: GraphSource): Promise<ReadonlyMap<string, number>> {
  const view = await graph.open()
  const counts = new Map<string, number>()
  view.forEachNode((ordinal) => {
    const captures = view.nodeValue(ordinal, 'Captures')
    if (!Array.isArray(captures)) return undefined
    for (const capture of captures) {
      if (capture?.State === 'active' && typeof capture.ID === 'string') counts.set(capture.ID, (counts.get(capture.ID) ?? 0) + 1)
    }
    return undefined
  })
  return counts
}
