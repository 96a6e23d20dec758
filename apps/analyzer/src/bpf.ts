import { checkGremlin, type PacketFilterCompiler } from '@skydive/gremlin-dsl'
import { type BpfCompiler, loadBpfCompiler } from '@skydive/kernel'
import { createPacketFilter, decodeBpfProgram } from '@skydive/packet'
import type { CaptureValidators } from '@skydive/protocol'

/** Ethernet frames of up to 4096 bytes: what a filter must compile for (spec flows 3.1). */
const CHECKED_FOR = { linkType: 1, snapLength: 4096 }
const WHOLE_PACKET = 262_144

/** libpcap, loaded when the first filter is given. @throws ERR_UNSUPPORTED where there is none. */
function lazyCompiler(): () => BpfCompiler {
  let compiler: BpfCompiler | undefined
  return () => {
    compiler ??= loadBpfCompiler()
    return compiler
  }
}

/** Checks the expressions of a capture before it is stored. */
export function captureValidators(): CaptureValidators {
  const compiler = lazyCompiler()
  return {
    gremlin(expression) {
      checkGremlin(expression)
    },
    bpf(expression) {
      compiler().compile(expression, CHECKED_FOR)
    },
  }
}

/** Compiles the expressions of the step `BPF`; kept packets are tested by the interpreter. */
export function packetFilterCompiler(): PacketFilterCompiler {
  const compiler = lazyCompiler()
  return (expression, linkType) => {
    const program = decodeBpfProgram(compiler().compile(expression, { linkType, snapLength: WHOLE_PACKET }))
    const matches = createPacketFilter(program)
    return ({ Data }) =>
      matches(new DataView(Data.buffer, Data.byteOffset, Data.byteLength), 0, Data.byteLength, Data.byteLength) !== 0
  }
}
