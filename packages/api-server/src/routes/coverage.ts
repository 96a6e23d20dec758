import { InvalidArgumentError } from '@skydive/contracts'
import { coverageQuerySchema, toWireCoverage } from '@skydive/protocol'
import { z } from 'zod'
import { JSON_TYPE } from '../error-answer.ts'
import type { CoverageSource } from '../options.ts'
import { parseTimeParameter } from '../time-parameter.ts'
import type { RouteContext } from './context.ts'

/** `GET /api/coverage?from=-1h`: which nodes were captured when, with which filter and sampling, and what was lost. */
export function coverageRoute({ app }: RouteContext, source: CoverageSource, now: () => number): void {
  app.get('/api/coverage', async (request, reply) => {
    const parsed = coverageQuerySchema.safeParse(request.query)
    if (!parsed.success) {
      throw new InvalidArgumentError(
        `coverage: ${z.prettifyError(parsed.error)}; write ?from=-1h, and &to=now to name the end too`,
      )
    }
    const { from, to = 'now' } = parsed.data
    const nowMs = now()
    const fromMs = parseTimeParameter('from', from, nowMs)
    const toMs = parseTimeParameter('to', to, nowMs)
    if (fromMs > toMs) throw new InvalidArgumentError(`from (${from}) is after to (${to}): exchange them`, { from, to })
    const answer = toWireCoverage(source.read(fromMs, toMs), source.summary({ startMs: fromMs, lastMs: toMs }))
    return reply.header('Content-Type', JSON_TYPE).send(`${JSON.stringify(answer)}\n`)
  })
}
