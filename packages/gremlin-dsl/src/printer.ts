import { InvalidArgumentError } from '@skydive/contracts'
import type { GremlinQuery, Param, Step } from './ast.ts'

/**
 * A string as a query writes it: in double quotes, with a backslash before each double quote inside.
 * @throws ERR_INVALID_ARGUMENT for a text that ends in a backslash, which the language can't write.
 */
export function quoteString(text: string): string {
  if (text.endsWith('\\')) {
    throw new InvalidArgumentError(`${JSON.stringify(text)} can't be written in a query: it ends in a backslash`, { text })
  }
  return `"${text.replaceAll('"', '\\"')}"`
}

/** One argument as a query writes it. */
export function printParam(param: Param): string {
  switch (param.kind) {
    case 'string':
      return quoteString(param.value)
    case 'number':
      return param.text
    case 'boolean':
      return param.value ? 'TRUE' : 'FALSE'
    case 'order':
      return param.value
    case 'now':
    case 'forever':
      return param.kind.toUpperCase()
    case 'predicate':
      return `${param.name}(${param.args.map(printParam).join(', ')})`
    case 'metadata':
      return `Metadata(${param.args.map(printParam).join(', ')})`
  }
}

function printStep(step: Step): string {
  if (step.name === 'G') return 'G'
  return `${step.name}(${step.params.map(printParam).join(', ')})`
}

/**
 * The canonical text of a query: steps and predicates as documents spell them, strings in double quotes, commas between arguments. Two
 * queries with the same text are the same query. Shape: `G.V().Has("Type", "host")`.
 */
export function printGremlin(query: GremlinQuery): string {
  const steps = query.steps.map(printStep)
  return steps[0] === 'G' ? steps.join('.') : ['G', ...steps].join('.')
}
