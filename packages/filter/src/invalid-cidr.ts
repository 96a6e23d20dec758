import { InvalidArgumentError } from '@skydive/contracts'

const SHOWN_LETTERS = 96

/** The refusal of what is no network. `example` is one that is: `10.0.0.0/24`. */
export function invalidCidr(cidr: string, example: string): InvalidArgumentError {
  const value = cidr.length > SHOWN_LETTERS ? `${cidr.slice(0, SHOWN_LETTERS)}…` : cidr
  return new InvalidArgumentError(`invalid CIDR address: ${value}; write it as ${example}`, { value })
}
