import type { FlowLoss } from '@skydive/contracts'

/** Losses of the same cause, host and capture that follow each other so closely are one. */
const MERGE_LOSSES_MS = 10_000

/** A loss as it grows. `id` names it among all records of a ledger. */
export interface LossRecord {
  readonly id: string
  loss: FlowLoss
}

/** Losses that are remembered, the oldest first. */
export class LossBook {
  readonly #newId: () => string
  readonly #records: LossRecord[] = []
  readonly #newest = new Map<string, LossRecord>()

  constructor(newId: () => string) {
    this.#newId = newId
  }

  /** Notes a loss; answers its record, which is that of the one before when it follows closely. */
  add(loss: FlowLoss): LossRecord {
    const key = keyOf(loss)
    const newest = this.#newest.get(key)
    if (newest && loss.fromMs <= newest.loss.toMs + MERGE_LOSSES_MS) {
      newest.loss = joined(newest.loss, loss)
      return newest
    }
    const record = { id: this.#newId(), loss }
    this.#newest.set(key, record)
    this.#records.push(record)
    return record
  }

  /** Takes up what an earlier run noted. */
  restore(records: readonly LossRecord[]): void {
    this.#records.push(...records)
    this.#records.sort((a, b) => a.loss.toMs - b.loss.toMs)
    for (const record of this.#records) this.#newest.set(keyOf(record.loss), record)
  }

  /** Those of a time, both ends included, in the order of their end. */
  during(fromMs: number, toMs: number): readonly FlowLoss[] {
    return this.#records
      .map(({ loss }) => loss)
      .filter((loss) => loss.fromMs <= toMs && loss.toMs >= fromMs)
      .sort((a, b) => a.toMs - b.toMs)
  }

  /** Forgets what ended before `oldestMs`, and of more than `most` the oldest; answers what it forgot. */
  prune(oldestMs: number, most: number): readonly LossRecord[] {
    let count = 0
    const isOld = ({ loss }: LossRecord): boolean => loss.toMs < oldestMs || this.#records.length - count > most
    while (this.#records[count] && isOld(this.#records[count]!)) count++
    const forgotten = this.#records.splice(0, count)
    for (const record of forgotten) {
      const key = keyOf(record.loss)
      if (this.#newest.get(key) === record) this.#newest.delete(key)
    }
    return forgotten
  }
}

const keyOf = ({ cause, host, captureId }: FlowLoss): string => `${cause}|${host}|${captureId ?? ''}`

function joined(a: FlowLoss, b: FlowLoss): FlowLoss {
  return {
    ...a,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    packets: a.packets + b.packets,
    flows: a.flows + b.flows,
  }
}
