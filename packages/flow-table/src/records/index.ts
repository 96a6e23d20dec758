/**
 * Flow records of exporters to flows, on typed arrays. Pure; runs in a browser.
 *
 * @packageDocumentation
 */

export { createRecordTable, RecordTable } from './record-table.ts'
export type { RecordTableOptions } from './record-table-options.ts'
