import { z } from 'zod'
import { wireEdgeSchema, wireNodeSchema } from './rest.ts'

const time = z
  .string()
  .min(1)
  .max(64)
  .describe('ms or s since the epoch, RFC 3339, RFC 1123, a duration from now such as -1h, or now')
const flag = z.enum(['0', '1']).optional()

/** `GET /api/topology/diff`. */
export const topologyDiffQuerySchema = z.strictObject({
  from: time,
  to: time.optional().describe('As from; now when absent'),
  gremlin: z
    .string()
    .max(65_536)
    .optional()
    .describe('Only what this query finds at one of the two times: nodes, edges or a graph'),
  all: flag.describe('1: counters count as well'),
  places: flag.describe('1: tell name, type and owners of every node that is named'),
})

const keyChange = z.object({
  Key: z.string().describe('A dotted path of the metadata, down to a leaf; @Host, @Origin, Parent, Child'),
  Before: z.unknown().optional().describe('Absent: the key was not there'),
  After: z.unknown().optional().describe('Absent: the key is not there'),
})

const change = z.object({
  Change: z.enum(['added', 'removed', 'changed']),
  ID: z.string(),
  Keys: z.array(keyChange),
  Revisions: z.array(z.number().int()).describe('Those that were made in the window'),
})
const nodeChange = change.extend({ Before: wireNodeSchema.optional(), After: wireNodeSchema.optional() })
const edgeChange = change.extend({ Before: wireEdgeSchema.optional(), After: wireEdgeSchema.optional() })

/** What it answers. Shape: `{ From: 1000, To: 2000, Complete: true, Nodes: [{ Change: 'added', ID: 'n', After: {…}, … }], … }`. */
export const topologyDiffSchema = z.object({
  From: z.number().int().describe('ms since the epoch'),
  To: z.number().int().describe('ms since the epoch'),
  Complete: z.boolean().describe('false: nothing is said about the time before KnownFrom'),
  KnownFrom: z.number().int().optional().describe('ms since the epoch; absent when all is known, or nothing'),
  Nodes: z.array(nodeChange),
  Edges: z.array(edgeChange),
  Transient: z
    .object({ Nodes: z.array(wireNodeSchema), Edges: z.array(wireEdgeSchema) })
    .describe('What came and went in between: there at neither end'),
  Places: z
    .record(z.string(), z.object({ Name: z.string(), Type: z.string(), Owners: z.array(z.string()) }))
    .optional()
    .describe('By id of a node; owners by name, the outermost first'),
})

/** The answer of `GET /api/topology/diff`. */
export type TopologyDiffAnswer = z.infer<typeof topologyDiffSchema>
