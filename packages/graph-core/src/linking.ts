/**
 * Helpers that follow the events of a graph: indexes over metadata, links that are kept equal to what is wanted, actions on nodes that come
 * later. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export { type IndexEntry, Indexer, type IndexerOptions, type IndexMatch } from './linking/indexer.ts'
export { MetadataIndexer, type MetadataIndexerOptions } from './linking/metadata-indexer.ts'
export { MetadataLinker, type MetadataLinkerOptions } from './linking/metadata-linker.ts'
export {
  type NodeEvent,
  type NodeEventSource,
  type NodeListener,
  nodeEventsOf,
  type ObservableGraph,
} from './linking/node-events.ts'
export { type NodeAction, Processor } from './linking/processor.ts'
export { ResourceLinker, type ResourceLinkerOptions, type WantedLink } from './linking/resource-linker.ts'
