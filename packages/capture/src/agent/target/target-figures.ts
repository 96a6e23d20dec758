/** How what a capture sends elsewhere fares: packets for a mirror, else records of flows. Counts since it began. */
export interface TargetFigures {
  /** Taken by the kernel. */
  readonly sent: number
  /** Had no room in the queue, or were refused. */
  readonly dropped: number
  /** What the format can't carry: flows without IP, of IPv6 with NetFlow 5, frames without Ethernet header with ERSPAN. */
  readonly skipped: number
  /** Why the last one was refused, such as `ENETUNREACH`. */
  readonly refusal?: string
}

/** Where flows or packets of a capture go besides the analyzer. */
export interface TargetOutput {
  stats(): TargetFigures
  /** Sends what still waits, for as long as a second, then gives up. */
  close(): Promise<void>
}
