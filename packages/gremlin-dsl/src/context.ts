import type { TimeSlice } from '@skydive/contracts'
import type { StepArguments } from './arguments.ts'
import type { Param } from './ast.ts'
import type { SliceOf } from './plan-builder.ts'
import { parseDurationMs, parseRfc1123Ms } from './time.ts'

/** Integers up to this are seconds since the epoch, larger ones ms. */
const MAX_SECONDS = 2_147_483_647

/** The slice of `Context(at [, duration])` (spec graph 4.5), to be asked at run time: it may be relative to now. */
export function contextSlice(args: StepArguments): SliceOf {
  const [at, duration] = args.params
  if (at === undefined) throw args.wrong("At least one parameter must be provided to 'Context'")
  if (args.params.length > 2) throw args.wrong("At most two parameters must be provided to 'Context'")
  const last = instant(at, args)
  const length = duration === undefined ? 0 : lengthMs(duration, args)
  return (nowMs): TimeSlice => {
    const lastMs = Math.max(0, last(nowMs))
    return { startMs: Math.max(0, lastMs - Math.min(length, lastMs)), lastMs }
  }
}

function instant(param: Param, args: StepArguments): (nowMs: number) => number {
  if (param.kind === 'now') return (nowMs) => nowMs
  if (param.kind === 'number') {
    const time = Math.trunc(param.value <= MAX_SECONDS ? param.value * 1000 : param.value)
    return () => time
  }
  if (param.kind !== 'string') throw args.fail("Key 'Context' must be either an integer or a string", param)
  const date = parseRfc1123Ms(param.value)
  if (date !== undefined) return () => date
  const offset = parseDurationMs(param.value)
  if (offset === undefined) throw args.fail('Time must be in RFC1123 or in Go Duration format', param)
  return (nowMs) => nowMs + offset
}

function lengthMs(param: Param, args: StepArguments): number {
  if (param.kind === 'forever') return Number.POSITIVE_INFINITY
  const ms =
    param.kind === 'number' ? Math.trunc(param.value * 1000) : param.kind === 'string' ? parseDurationMs(param.value) : undefined
  if (param.kind !== 'number' && param.kind !== 'string') {
    throw args.fail("Key 'Context' must be either an integer or a string", param)
  }
  if (ms === undefined)
    throw args.fail(`invalid duration "${(param as { value: string }).value}": write it as 90s, 5m or 1h30m`, param)
  if (ms < 0) throw args.fail('the duration must not be negative', param)
  return ms
}
