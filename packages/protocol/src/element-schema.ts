import { type GraphEdge, type GraphNode, InvalidArgumentError, type Metadata, type MetadataValue } from '@skydive/contracts'

/**
 * Checks what an element made from outside must have (spec platform 1.4.7): a node `Name` and `Type` (and `Path` for a `netns`,
 * `UUID` for an `ovsport`), an edge `RelationType`.
 *
 * @throws ERR_INVALID_ARGUMENT `invalid schema: …` with one line a violated rule.
 */
export function checkNodeSchema(node: GraphNode): void {
  const type = node.metadata['Type']
  const required = ['Name', 'Type', ...(type === 'netns' ? ['Path'] : []), ...(type === 'ovsport' ? ['UUID'] : [])]
  check(required, node.metadata, node.id)
}

/** @throws ERR_INVALID_ARGUMENT, as {@link checkNodeSchema}. */
export function checkEdgeSchema(edge: GraphEdge): void {
  check(['RelationType'], edge.metadata, edge.id)
}

function check(required: readonly string[], metadata: Metadata, id: string): void {
  const lines = required.flatMap((key) => violation(key, metadata[key]))
  if (lines.length > 0) throw new InvalidArgumentError(`invalid schema: ${lines.join('\n')}`, { id, violations: lines })
}

function violation(key: string, value: MetadataValue | undefined): string[] {
  if (value === undefined) return [`Metadata: ${key} is required`]
  if (typeof value !== 'string') return [`Metadata.${key}: Invalid type. Expected: string, given: ${jsonType(value)}`]
  if (value === '') return [`Metadata.${key}: String length must be greater than or equal to 1`]
  return []
}

function jsonType(value: MetadataValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
