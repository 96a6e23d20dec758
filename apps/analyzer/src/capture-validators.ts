import { checkGremlin } from '@skydive/gremlin-dsl'
import { type BpfCompiler, loadBpfCompiler } from '@skydive/kernel'
import type { CaptureValidators } from '@skydive/protocol'

/** Ethernet frames of up to 4096 bytes: what a filter must compile for (spec flows 3.1). */
const CHECKED_FOR = { linkType: 1, snapLength: 4096 }

/** Checks the expressions of a capture before it is stored. libpcap is loaded when the first filter is given. */
export function captureValidators(): CaptureValidators {
  let compiler: BpfCompiler | undefined
  return {
    gremlin(expression) {
      checkGremlin(expression)
    },
    bpf(expression) {
      compiler ??= loadBpfCompiler()
      compiler.compile(expression, CHECKED_FOR)
    },
  }
}
