import { describeContinuousQueries } from './watch-property.ts'

// Not among the unit tests, which are to be quick: 20,000 cases, and more where `SKYDIVE_FUZZ_RUNS` asks for them.
describeContinuousQueries(Math.max(20_000, Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 0) / 50))
