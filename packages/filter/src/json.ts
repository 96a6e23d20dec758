/**
 * Filters from and to JSON of others: bounded in size and depth, refused with the place of what is wrong.
 *
 * @packageDocumentation
 */

export { MAX_FILTER_NODES, readFilter, writeFilter } from './filter-json.ts'
