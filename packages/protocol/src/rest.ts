import { z } from 'zod'

const metadataSchema = z.record(z.string(), z.unknown()).describe('Any JSON object')

/** `POST /api/topology`. */
export const topologyQuerySchema = z.object({
  GremlinQuery: z.string().describe("Such as G.V().Has('Type','host'); empty answers 204"),
  AllowPartial: z
    .boolean()
    .optional()
    .describe('Answer what there is when a budget is spent, with the header X-Skydive-Partial, instead of 422'),
})

/** `GET /api/topology/explain?gremlin=…&profile=1`. */
export const explainQuerySchema = z.strictObject({
  gremlin: z.string().min(1).describe("Such as G.V().Has('Type','host')"),
  profile: z.enum(['0', '1']).optional().describe('1: run it, and tell rows and time of every step'),
})

/** `GET /api`. Shape: `{ Host: 'an1', Version: '1.0.0', Service: 'analyzer' }`. */
export const identitySchema = z.object({
  Host: z.string(),
  Version: z.string(),
  Service: z.enum(['analyzer', 'agent']),
})

/** Who answers. */
export type Identity = z.infer<typeof identitySchema>

/** `POST /login` answers the token, which is also the cookie `authtoken`. */
export const loginAnswerSchema = z.object({
  Token: z.string(),
  Permissions: z.array(z.object({ Object: z.string(), Action: z.string(), Allowed: z.boolean() })),
})

/** A node of REST. */
export const wireNodeSchema = z.object({
  ID: z.string(),
  Metadata: metadataSchema,
  Host: z.string(),
  Origin: z.string(),
  CreatedAt: z.number().int().describe('ms since the epoch'),
  UpdatedAt: z.number().int().describe('ms since the epoch'),
  DeletedAt: z.number().int().nullable(),
  Revision: z.number().int(),
})

/** An edge of REST. */
export const wireEdgeSchema = wireNodeSchema.extend({ Parent: z.string(), Child: z.string() })

/** `GET /api/topology`, and a graph result inside an array. */
export const wireGraphSchema = z.object({ Nodes: z.array(wireNodeSchema), Edges: z.array(wireEdgeSchema) })

/** What is asked of a new node. */
export const nodeBodySchema = z.object({
  ID: z.string(),
  Metadata: metadataSchema.describe('Needs Name and Type'),
  Host: z.string().optional(),
  CreatedAt: z.number().int().optional(),
  UpdatedAt: z.number().int().optional(),
})

/** What is asked of a new edge. */
export const edgeBodySchema = nodeBodySchema.extend({
  Parent: z.string(),
  Child: z.string(),
  Metadata: metadataSchema.describe('Needs RelationType'),
})

/** An RFC 6902 document. */
export const jsonPatchSchema = z.array(
  z.object({
    op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
    path: z.string(),
    from: z.string().optional(),
    value: z.unknown().optional(),
  }),
)

/** One operation of RFC 6902. */
export type JsonPatch = z.infer<typeof jsonPatchSchema>

/** How one WebSocket connection fares (spec platform 1.6). */
export const connectionStatusSchema = z.object({
  ServiceType: z.string(),
  ClientProtocol: z.string(),
  Addr: z.string(),
  Port: z.number().int(),
  IsConnected: z.boolean(),
  ConnectTime: z.string(),
  RemoteHost: z.string(),
  RemoteServiceType: z.string(),
})

/** What an error looks like where the client accepts `application/json`; otherwise the body is `Message` as plain text. */
export const errorAnswerSchema = z.object({
  Code: z.string().describe('Stable, such as ERR_NOT_FOUND; see docs/errors.md'),
  Message: z.string(),
  Status: z.number().int(),
  Fields: z.record(z.string(), z.unknown()),
})

/** An error answer. */
export type ErrorAnswer = z.infer<typeof errorAnswerSchema>
