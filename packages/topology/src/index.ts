/**
 * The vocabulary of the topology: node and relation types, metadata keys with their schemas, and stable identifiers.
 *
 * @packageDocumentation
 */

export type { NodeType } from './node-types.ts'
export { NODE_TYPES } from './node-types.ts'
export type { RelationType } from './relation-types.ts'
export { LAYER2, MANAGERS, OWNERSHIP, PROBES, RELATION_TYPES } from './relation-types.ts'
export {
  edgeMetadataSchema,
  hostMetadataSchema,
  interfaceMetadataSchema,
  interfaceMetricSchema,
  NODE_SCHEMAS,
  neighborSchema,
  netnsMetadataSchema,
  nodeMetadataSchema,
  publishedNodeSchema,
  routingTableSchema,
} from './schemas.ts'
export { childTid, hostTid, netnsTid, ovsTid } from './tid.ts'
export { vocabularyPage } from './vocabulary-page.ts'
