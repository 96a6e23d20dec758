import type { z } from 'zod'

/** What a key takes, as far as reading text and looking keys up need to know. */
export type Kind =
  | { readonly kind: 'section'; readonly members: ReadonlyMap<string, z.ZodType>; readonly open: boolean }
  | { readonly kind: 'map'; readonly value: z.ZodType }
  | { readonly kind: 'list'; readonly item: z.ZodType }
  | { readonly kind: 'number' | 'boolean' | 'text' }
  | { readonly kind: 'union'; readonly options: readonly z.ZodType[] }

interface AnyDef {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
  readonly valueType?: z.ZodType
  readonly element?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly defaultValue?: unknown
}

/** Looks behind defaults and optionality. */
export function kindOf(schema: z.ZodType): Kind {
  const def = definition(schema)
  if (def.innerType) return kindOf(def.innerType)
  switch (def.type) {
    case 'object':
      return { kind: 'section', members: new Map(Object.entries(def.shape ?? {})), open: def.catchall !== undefined }
    case 'record':
      return { kind: 'map', value: def.valueType! }
    case 'array':
      return { kind: 'list', item: def.element! }
    case 'union':
      return { kind: 'union', options: def.options ?? [] }
    case 'number':
      return { kind: 'number' }
    case 'boolean':
      return { kind: 'boolean' }
    default:
      return { kind: 'text' }
  }
}

/** The default of a key; `undefined` when it has none. */
export function defaultOf(schema: z.ZodType): unknown {
  const def = definition(schema)
  return def.type === 'default' ? def.defaultValue : undefined
}

function definition(schema: z.ZodType): AnyDef {
  return schema._zod.def as unknown as AnyDef
}
