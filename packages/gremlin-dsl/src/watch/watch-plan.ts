import { loadRegex } from '@skydive/filter'
import { needsRegexEngine } from '../compile.ts'
import { compileGraphQuery } from '../engine.ts'
import { parseGremlin } from '../parser.ts'
import { printGremlin } from '../printer.ts'
import type { WatchPlan } from './delta.ts'
import { compileWatch, type WatchProgram } from './watch-compiler.ts'

/** A plan, and the operators where there are some. */
export interface PlannedWatch {
  readonly plan: WatchPlan
  readonly program: WatchProgram | undefined
}

/** Checks a query and decides how it is kept up to date. @throws GremlinError. */
export async function planWatch(text: string): Promise<PlannedWatch> {
  const query = parseGremlin(text)
  // Checks arguments, steps, and that nothing but the present topology is asked.
  const { keys } = await compileGraphQuery(text)
  const canonical = printGremlin(query)
  const program = compileWatch(query, needsRegexEngine(query) ? await loadRegex() : undefined)
  if ('reason' in program) {
    const plan: WatchPlan = { text: canonical, mode: 'rerun', reason: program.reason, operators: [], keys: [...keys].sort() }
    return { plan, program: undefined }
  }
  return {
    plan: { text: canonical, mode: 'delta', operators: operatorsOf(program), keys: [...program.keys].sort() },
    program,
  }
}

function operatorsOf({ kind, sourceFilters, stages, sinkName }: WatchProgram): readonly string[] {
  return [
    `every ${kind === 'nodes' ? 'node' : 'edge'}${conditions(sourceFilters.length)}`,
    ...stages.map(
      ({ expansion, filters, distinct }) => `${expansion.name}${conditions(filters.length)}${distinct ? ', distinct' : ''}`,
    ),
    sinkName,
  ]
}

function conditions(count: number): string {
  return count === 0 ? '' : count === 1 ? ' with 1 condition' : ` with ${count} conditions`
}
