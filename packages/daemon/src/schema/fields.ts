import { z } from 'zod'

/** Short forms for the tables of keys: each key is one line with its default and what it means to an operator. */
export const text = (value: string, meaning: string) => z.string().default(value).describe(meaning)
export const optionalText = (meaning: string) => z.string().optional().describe(meaning)
export const integer = (value: number, meaning: string) => z.number().int().default(value).describe(meaning)
export const optionalInteger = (meaning: string) => z.number().int().optional().describe(meaning)
export const optionalNumber = (meaning: string) => z.number().optional().describe(meaning)
/** Whole seconds greater than zero. */
export const seconds = (value: number, meaning: string) => z.number().positive().default(value).describe(`${meaning}, seconds`)
export const flag = (value: boolean, meaning: string) => z.boolean().default(value).describe(meaning)
export const list = (value: string[], meaning: string) => z.array(z.string()).default(value).describe(meaning)
export const optionalList = (meaning: string) => z.array(z.string()).optional().describe(meaning)
export const textMap = (meaning: string) => z.record(z.string(), z.string()).default({}).describe(meaning)
export const choice = <const T extends readonly [string, ...string[]]>(values: T, value: T[number], meaning: string) =>
  z
    .enum(values)
    .default(value as never)
    .describe(meaning)

/** A section: its members have defaults, so the whole may be left out. */
export const section = <T extends z.ZodRawShape>(shape: T, meaning = '') => {
  const object = z.object(shape).prefault({} as never)
  return meaning === '' ? object : object.describe(meaning)
}
