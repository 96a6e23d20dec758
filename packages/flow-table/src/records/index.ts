/**
 * Flow records of exporters to flows, on typed arrays. Pure; runs in a browser.
 *
 * @packageDocumentation
 */

export type { RecordTableOptions } from './record-table.ts'
export { createRecordTable, RecordTable } from './record-table.ts'
