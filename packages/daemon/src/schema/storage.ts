import { z } from 'zod'
import { flag, integer, list, optionalText, seconds, section, text } from './fields.ts'

const sqlite = z.object({
  driver: z.literal('sqlite').describe('The embedded store'),
  retention_age: seconds(7 * 86_400, 'How long history and flows are kept'),
  retention_bytes: integer(10 * 1024 ** 3, 'How many bytes history and flows may take'),
})

const memory = z.object({ driver: z.literal('memory').describe('Nothing outlives the process') })

const elasticsearch = z.object({
  driver: z.literal('elasticsearch').describe('Elasticsearch 7.17 or 8, or OpenSearch 2'),
  host: optionalText('One address; hosts wins'),
  hosts: list(['http://127.0.0.1:9200'], 'Addresses'),
  ssl_insecure: flag(false, 'Accept any certificate'),
  auth: section({ username: optionalText('User name'), password: optionalText('Password') }),
  bulk_maxdelay: seconds(5, 'Longest wait before a write'),
  total_fields_limit: integer(1000, 'Fields an index may have'),
  index_age_limit: integer(0, 'Minutes after which an index rolls; 0 never'),
  index_entries_limit: integer(0, 'Documents after which an index rolls; 0 never'),
  indices_to_keep: integer(0, 'Rolled indices that are kept; 0 all'),
  index_prefix: text('skydive_', 'Prefix of index names'),
  use_flattened: flag(true, 'Store metadata as one flattened field'),
  flattened_ignore_above: integer(32_768, 'Longest indexed value'),
  exclude_from_mapping: list([], 'Metadata keys without an index'),
  disable_sniffing: flag(false, 'Do not ask for other nodes'),
  disable_healthcheck: flag(false, 'Do not check nodes'),
  debug: flag(false, 'Log requests'),
})

const orientdb = z.object({
  driver: z.literal('orientdb').describe('Not part of this build'),
  addr: text('http://localhost:2480', 'Address'),
  database: text('Skydive', 'Database'),
  username: text('root', 'User name'),
  password: text('root', 'Password'),
})

/** One store: the driver decides which keys there are and their defaults. */
export const storeSchema = z.discriminatedUnion('driver', [sqlite, memory, elasticsearch, orientdb])

/** A store section with its defaults. */
export type StoreConfig = z.infer<typeof storeSchema>

/** The keys of each driver, for the reference page and for coercion. */
export const STORE_DRIVERS = { sqlite, memory, elasticsearch, orientdb } as const

/** Stores that need not be declared. */
export const PREDEFINED_STORES: Readonly<Record<string, { readonly driver: keyof typeof STORE_DRIVERS }>> = {
  sqlite: { driver: 'sqlite' },
  memory: { driver: 'memory' },
  elasticsearch: { driver: 'elasticsearch' },
  orientdb: { driver: 'orientdb' },
}
