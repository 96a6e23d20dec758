import { InvalidArgumentError } from '@skydive/contracts'

/** A compiled pattern: whether it is found anywhere in the text. Linear time, whatever the pattern. */
export type RegexTest = (text: string) => boolean

/** Compiles patterns of RE2 syntax. @throws ERR_INVALID_ARGUMENT with the compiler's message. */
export type RegexCompiler = (pattern: string) => RegexTest

/**
 * Loads the RE2 engine (some 100 kB that most queries never need) and answers its compiler. The module system keeps it after the first
 * time.
 */
export async function loadRegex(): Promise<RegexCompiler> {
  const { RE2JS } = await import('re2js')
  return (pattern) => {
    let compiled: ReturnType<typeof RE2JS.compile>
    try {
      compiled = RE2JS.compile(pattern)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new InvalidArgumentError(`regular expression "${pattern}" can't be compiled: ${reason}`, { value: pattern }, error)
    }
    return (text) => compiled.matcher(text).find()
  }
}
