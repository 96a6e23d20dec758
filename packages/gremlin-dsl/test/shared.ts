import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../../../shared/golden')

/** Whether the recorded answers lie beside the repository. Their absence is a failure in the project's own CI. */
export const hasGolden = existsSync(ROOT)

if (!hasGolden && process.env['SKYDIVE_CI'] === '1') throw new Error(`the recorded answers are missing: ${ROOT}`)

/** One recorded exchange. */
export interface Exchange {
  readonly request: { readonly body: string }
  readonly status: number | null
  readonly body_raw?: string
  readonly body_json?: unknown
}

/** Reads `http/q00`, `flows/f00` and their like. */
export function exchange(name: string): Exchange {
  return JSON.parse(readFileSync(join(ROOT, `${name}.json`), 'utf8'))
}

/** The query of an exchange. */
export function queryOf({ request }: Exchange): string {
  return JSON.parse(request.body).GremlinQuery
}
