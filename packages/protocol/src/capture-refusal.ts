import { InvalidArgumentError } from '@skydive/contracts'

/** Letters of a value that a refusal shows. */
const SHOWN_LETTERS = 100

/**
 * The refusal of a capture's member: `HeaderSize: <text>`. `allowed` is what to give instead, for texts of the original that do not say it: these stay
 * as they are, for those who compare them, and a second line tells the value and what is allowed.
 */
export function refused(field: string, value: unknown, text: string, allowed?: string): InvalidArgumentError {
  return new InvalidArgumentError(`${field}: ${text}${allowed === undefined ? '' : `\n${shown(value)} is refused: ${allowed}`}`, {
    field,
    value,
  })
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= SHOWN_LETTERS ? text : `${text.slice(0, SHOWN_LETTERS)}…`
}
