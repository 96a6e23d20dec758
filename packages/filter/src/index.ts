/**
 * Metadata paths, typed reads and the filter tree of Skydive over graph elements and flows. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export { allOf, anyOf, isNull, isPresent, not, nothing, type TermValue, term } from './build.ts'
export { ELEMENT_FIELDS, elementField, type FieldReader, type FieldResolver } from './element-field.ts'
export { type ElementViewInit, elementView, type LateElements, type LateViewInit } from './element-view.ts'
export { compileFilter, MAX_FILTER_DEPTH, needsRegex, type Predicate, prepareFilter } from './filter.ts'
export { canonicalFlowField, enhancedFlowField, FLOW_FIELDS, flowField, flowTree, isFlowSide } from './flow-field.ts'
export { arrangeFlows, compareValues, dedupBy, searchFlows, tupleKey } from './flow-search.ts'
export { addToIndex, forEachIndexValue, hasIndexValue } from './index-values.ts'
export { compileIpv4Range, parseIpv4 } from './ipv4.ts'
export { compileIpRange, compileIpv6Range, isIpAddress, parseIpv6 } from './ipv6.ts'
export {
  compilePath,
  deletePath,
  getPath,
  isMetadataObject,
  joinPath,
  listPaths,
  type PathReader,
  parseMetadataDefinition,
  setPath,
  splitPath,
} from './path.ts'
export { readBoolean, readInteger, readString } from './read.ts'
export { loadRegex, type RegexCompiler, type RegexTest } from './regex.ts'
export {
  copyMetadata,
  copyMetadataValue,
  diffMetadata,
  equalValues,
  MAX_METADATA_DEPTH,
  normaliseMetadata,
} from './value.ts'
export { ValuePool } from './value-pool.ts'
export { someLeaf, widenFilter } from './widen.ts'
