import { once } from 'node:events'
import { InvalidArgumentError } from '@skydive/contracts'
import { explainQuerySchema, formatCoverage, topologyQuerySchema } from '@skydive/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { JSON_TYPE, sendError, sendProblem, TEXT_TYPE } from '../error-answer.ts'
import { graphParts } from '../graph-json.ts'
import type { ExplainFunction, QueryAnswer } from '../options.ts'
import { renderDot } from '../render/dot.ts'
import { renderPcap, renderPcapng } from '../render/pcap.ts'
import { bodyText, parseJson } from '../request-body.ts'
import { Departures, whileThere } from '../while-there.ts'
import type { RouteContext } from './context.ts'

const DOT_TYPE = 'text/vnd.graphviz'
const PCAP_TYPE = 'application/vnd.tcpdump.pcap'
const PCAPNG_TYPE = 'application/x-pcapng'

/** Elements of one piece of a whole graph: about a megabyte, so that serialising never holds the loop for long. */
const PART_ELEMENTS = 1000

/** `GET /api/topology`, `POST /api/topology` (spec platform 1.5) and, ours, `GET /api/topology/explain`. */
export function topologyRoutes({ app, options }: RouteContext): void {
  const departures = new Departures()
  app.get('/api/topology', async (_request, reply) => {
    const view = await options.graph.open()
    reply.hijack()
    const raw = reply.raw
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    raw.setHeader('Content-Type', JSON_TYPE)
    // Nodes fill the first parts and edges the last ones, so the lists can be written one after the other.
    let inEdges = false
    let separator = ''
    raw.write('{"Nodes":[')
    for (const part of graphParts(view, PART_ELEMENTS)) {
      if (raw.destroyed) return
      let chunk = ''
      if (part.nodes !== '') {
        chunk += separator + part.nodes
        separator = ','
      }
      if (part.edges !== '') {
        chunk += inEdges ? `,${part.edges}` : `],"Edges":[${part.edges}`
        inEdges = true
      }
      if (!raw.write(chunk)) await Promise.race([once(raw, 'drain'), once(raw, 'close')])
    }
    raw.end(inEdges ? ']}\n' : '],"Edges":[]}\n')
  })

  // Not async, as most answers are there at once: a promise more costs a microsecond or two.
  app.post('/api/topology', (request, reply) => {
    const text = bodyText(request)
    if (text === '') return reply.code(204).send()
    const { gremlin, allowPartial } = readQuery(parseJson(text))
    if (gremlin === '') return reply.code(204).send()
    const isPartialAllowed = allowPartial || request.headers['x-skydive-allow-partial'] === '1'
    const answer = departures.whileThere(request.raw.socket, (signal) =>
      options.query(gremlin, isPartialAllowed ? { signal, allowPartial: true } : { signal }),
    )
    return answer instanceof Promise ? answer.then((found) => render(request, reply, found)) : render(request, reply, answer)
  })

  if (options.explain) explainRoute(app, options.explain)
}

/** Text where the client accepts `text/plain` first, else an object. */
function explainRoute(app: RouteContext['app'], explain: ExplainFunction): void {
  app.get('/api/topology/explain', async (request, reply) => {
    const parsed = explainQuerySchema.safeParse(request.query)
    if (!parsed.success) {
      throw new InvalidArgumentError(`explain: ${z.prettifyError(parsed.error)}; write ?gremlin=…, and &profile=1 to run it`)
    }
    const { gremlin, profile } = parsed.data
    const { json, text } = await whileThere(reply, (signal) => explain(gremlin, { profile: profile === '1', signal }))
    if (request.headers.accept?.startsWith('text/plain')) return reply.type(TEXT_TYPE).send(`${text}\n`)
    return reply.header('Content-Type', JSON_TYPE).send(`${JSON.stringify(json)}\n`)
  })
}

function readQuery(body: unknown): { readonly gremlin: string; readonly allowPartial: boolean } {
  // The only schema on the hot route is checked by hand first: zod costs as much as a small query.
  const { GremlinQuery: query, AllowPartial: allowed } = (body ?? {}) as { GremlinQuery?: unknown; AllowPartial?: unknown }
  if (typeof query === 'string' && (allowed === undefined || typeof allowed === 'boolean')) {
    return { gremlin: query, allowPartial: allowed === true }
  }
  const parsed = topologyQuerySchema.safeParse(body)
  if (parsed.success) return { gremlin: parsed.data.GremlinQuery, allowPartial: parsed.data.AllowPartial === true }
  if (query === undefined && typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return { gremlin: '', allowPartial: false }
  }
  throw new InvalidArgumentError(`GremlinQuery: ${z.prettifyError(parsed.error)}`, { body: JSON.stringify(body)?.slice(0, 200) })
}

function render(request: FastifyRequest, reply: FastifyReply, answer: QueryAnswer): FastifyReply {
  if (answer.coverage !== undefined) reply.header('X-Skydive-Coverage', formatCoverage(answer.coverage))
  if (answer.partial !== undefined) reply.header('X-Skydive-Partial', answer.partial)
  tellIncomplete(reply, answer.incomplete)
  const accept = request.headers.accept ?? ''
  if (accept.startsWith(DOT_TYPE)) {
    if (answer.graph === undefined) return notAcceptable(request, reply, 'Only graph can be outputted as dot')
    return reply.type(`${DOT_TYPE}; charset=UTF-8`).send(renderDot(answer.graph))
  }
  const isPcapng = accept.startsWith(PCAPNG_TYPE)
  if (isPcapng || accept.startsWith(PCAP_TYPE)) {
    if (answer.rawPackets === undefined)
      return notAcceptable(request, reply, 'Only RawPackets step result can be outputted as pcap')
    const { bytes, leftOut } = isPcapng ? renderPcapng(answer.rawPackets) : renderPcap(answer.rawPackets)
    tellIncomplete(reply, [...(answer.incomplete ?? []), ...leftOut])
    return reply.type(isPcapng ? PCAPNG_TYPE : `${PCAP_TYPE}; charset=UTF-8`).send(Buffer.from(bytes.buffer))
  }
  let json: string
  try {
    json = answer.json({ places: request.headers['x-skydive-places'] !== undefined })
  } catch (error) {
    return sendError(request, reply, error, 406)
  }
  return reply.type(JSON_TYPE).send(`${json}\n`)
}

function tellIncomplete(reply: FastifyReply, items: readonly string[] = []): void {
  if (items.length > 0) reply.header('X-Skydive-Incomplete', items.map((item) => encodeURI(item)).join(', '))
}

function notAcceptable(request: FastifyRequest, reply: FastifyReply, reason: string): FastifyReply {
  return sendProblem(request, reply, 406, 'ERR_INVALID_ARGUMENT', `Error while encoding response: ${reason}`)
}
