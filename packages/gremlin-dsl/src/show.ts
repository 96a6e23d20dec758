import type { Param } from './ast.ts'

/** An argument as the stable error texts show it. */
export function showParam(param: Param): string {
  switch (param.kind) {
    case 'string':
      return param.value
    case 'number':
      return param.text
    case 'boolean':
      return String(param.value)
    case 'order':
      return param.value
    case 'now':
    case 'forever':
      return param.kind.toUpperCase()
    case 'predicate':
      return `${param.name}(${param.args.map(showParam).join(', ')})`
    case 'metadata':
      return `Metadata(${param.args.map(showParam).join(', ')})`
  }
}

/** A list of arguments as the stable error texts show it: `[a 1]`. */
export function showParams(params: readonly Param[]): string {
  return `[${params.map(showParam).join(' ')}]`
}
