import { describeMutatedPackets } from './mutated-packets.ts'

// Not among the unit tests, which are to be quick: 100,000 cases, and more where `SKYDIVE_FUZZ_RUNS` asks for them.
describeMutatedPackets(
  Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 100_000),
  Number(process.env['SKYDIVE_SEED'] ?? Date.now() & 0x7fffffff),
)
