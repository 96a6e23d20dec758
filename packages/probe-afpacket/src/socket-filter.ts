import type { CaptureTarget } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'
import { BPF, type BpfInstruction, decodeBpfProgram, encodeBpfProgram, ownTrafficProgram } from '@skydive/packet'
import * as socket from './packet-socket.ts'

const DEFAULT_SNAP_LENGTH = 256

/** Own traffic first, then what the user asked for; the return value cuts packets to the snap length. */
export function targetProgram(
  kernel: Kernel,
  target: CaptureTarget,
  linkType: number,
  isLoopback: boolean,
): readonly BpfInstruction[] {
  const snapLength = target.snapLength || DEFAULT_SNAP_LENGTH
  const everything: readonly BpfInstruction[] = [{ code: BPF.RET | BPF.K, jt: 0, jf: 0, k: snapLength }]
  const wanted =
    target.bpfFilter === '' ? everything : decodeBpfProgram(kernel.compileBpf(target.bpfFilter, { linkType, snapLength }))
  return [...(isLoopback ? INCOMING_ONLY : []), ...ownTrafficProgram(target.excludePeers, linkType), ...wanted]
}

/** Gives a program to a socket by the option of that name: the kernel wants a pointer, so it goes into memory that has an address. */
export function setProgram(
  kernel: Kernel,
  fd: number,
  [level, option]: readonly [number, number],
  instructions: readonly BpfInstruction[],
): void {
  const program = encodeBpfProgram(instructions)
  // The call copies it.
  const memory = kernel.mapMemory({ byteLength: program.length })
  try {
    new Uint8Array(memory.buffer).set(program)
    kernel.setSocketOption(fd, level, option, socket.filterProgram(program.length / 8, memory.address))
  } finally {
    memory.close()
  }
}

/** Replaces the filter of a socket; no packet comes in between unfiltered. */
export function attachFilter(kernel: Kernel, fd: number, program: readonly BpfInstruction[]): void {
  setProgram(kernel, fd, [socket.SOL_SOCKET, socket.SO_ATTACH_FILTER], program)
}

/** Lets no packet in. */
export const NOTHING: readonly BpfInstruction[] = [{ code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 }]

/** A packet on the loopback is seen going out and coming in; only the latter counts, as for tcpdump. Loads `skb->pkt_type`. */
const INCOMING_ONLY: readonly BpfInstruction[] = [
  { code: BPF.LD | BPF.W | BPF.ABS, jt: 0, jf: 0, k: socket.SKF_AD_OFF + socket.SKF_AD_PKTTYPE },
  { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 0, jf: 1, k: socket.PACKET_OUTGOING },
  { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 },
]
