import { InvalidArgumentError } from '@skydive/contracts'

/** One instruction of classic BPF, as `struct sock_filter` of linux/filter.h has it. */
export interface BpfInstruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** The opcode parts of classic BPF (linux/bpf_common.h), for those who assemble programs. */
export const BPF = {
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  STX: 0x03,
  ALU: 0x04,
  JMP: 0x05,
  RET: 0x06,
  MISC: 0x07,
  W: 0x00,
  H: 0x08,
  B: 0x10,
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  LEN: 0x80,
  MSH: 0xa0,
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  K: 0x00,
  X: 0x08,
  A: 0x10,
} as const

const MAX_INSTRUCTIONS = 4096
const MEMORY_WORDS = 16

/**
 * Runs over a captured packet and answers how many of its bytes the filter keeps; 0 means that it does not match.
 * Never throws and never reads past `capturedBytes`.
 */
export type PacketFilter = (view: DataView, offset: number, capturedBytes: number, wireBytes: number) => number

/**
 * Makes a filter of a classic-BPF program, such as libpcap compiles. The program is checked once, as the kernel does: known opcodes, jumps
 * inside the program and forward only, a return at the end; so that running it always ends.
 *
 * @throws ERR_INVALID_ARGUMENT naming the instruction that is refused.
 */
export function createPacketFilter(program: readonly BpfInstruction[]): PacketFilter {
  check(program)
  const code = Uint16Array.from(program, (instruction) => instruction.code)
  const jumpTrue = Uint8Array.from(program, (instruction) => instruction.jt)
  const jumpFalse = Uint8Array.from(program, (instruction) => instruction.jf)
  const constant = Int32Array.from(program, (instruction) => instruction.k)
  const memory = new Int32Array(MEMORY_WORDS)

  return (view, offset, capturedBytes, wireBytes) => {
    memory.fill(0)
    const end = offset + capturedBytes
    let a = 0
    let x = 0
    for (let pc = 0; ; pc++) {
      const op = code[pc]!
      const k = constant[pc]!
      switch (op & 0x07) {
        case BPF.LD: {
          if ((op & 0xe0) === BPF.ABS || (op & 0xe0) === BPF.IND) {
            const size = op & 0x18
            const at = offset + (k >>> 0) + ((op & 0xe0) === BPF.IND ? x >>> 0 : 0)
            if (at + (size === BPF.W ? 4 : size === BPF.H ? 2 : 1) > end) return 0
            a = size === BPF.W ? view.getInt32(at) : size === BPF.H ? view.getUint16(at) : view.getUint8(at)
          } else a = (op & 0xe0) === BPF.LEN ? wireBytes : (op & 0xe0) === BPF.MEM ? memory[k]! : k
          break
        }
        case BPF.LDX:
          if ((op & 0xe0) === BPF.MSH) {
            const at = offset + (k >>> 0)
            if (at >= end) return 0
            x = (view.getUint8(at) & 0x0f) * 4
          } else x = (op & 0xe0) === BPF.LEN ? wireBytes : (op & 0xe0) === BPF.MEM ? memory[k]! : k
          break
        case BPF.ST:
          memory[k] = a
          break
        case BPF.STX:
          memory[k] = x
          break
        case BPF.ALU: {
          const operand = (op & BPF.X) !== 0 ? x : k
          const kind = op & 0xf0
          // Division by zero of X ends the program with "no match", as in the kernel.
          if (operand === 0 && (kind === 0x30 || kind === 0x90)) return 0
          a = compute(kind, a, operand)
          break
        }
        case BPF.JMP: {
          if ((op & 0xf0) === BPF.JA) {
            pc += k
            break
          }
          const operand = (op & BPF.X) !== 0 ? x : k
          pc += holds(op & 0xf0, a, operand) ? jumpTrue[pc]! : jumpFalse[pc]!
          break
        }
        case BPF.RET:
          return ((op & 0x18) === BPF.A ? a : k) >>> 0
        case BPF.MISC:
          if ((op & 0x80) !== 0) a = x
          else x = a
          break
      }
    }
  }
}

function compute(kind: number, a: number, operand: number): number {
  switch (kind) {
    case 0x00:
      return (a + operand) | 0
    case 0x10:
      return (a - operand) | 0
    case 0x20:
      return Math.imul(a, operand)
    case 0x30:
      return ((a >>> 0) / (operand >>> 0)) | 0
    case 0x40:
      return a | operand
    case 0x50:
      return a & operand
    case 0x60:
      return operand >>> 0 > 31 ? 0 : a << operand
    case 0x70:
      return operand >>> 0 > 31 ? 0 : (a >>> operand) | 0
    case 0x80:
      return -a | 0
    case 0x90:
      return ((a >>> 0) % (operand >>> 0)) | 0
    default:
      return a ^ operand
  }
}

function holds(kind: number, a: number, operand: number): boolean {
  switch (kind) {
    case BPF.JEQ:
      return a === operand
    case BPF.JGT:
      return a >>> 0 > operand >>> 0
    case BPF.JGE:
      return a >>> 0 >= operand >>> 0
    default:
      return (a & operand) !== 0
  }
}

/** Reads a program as the kernel and libpcap lay it out: 8 bytes an instruction (`struct sock_filter`), little endian. */
export function decodeBpfProgram(bytes: Uint8Array): readonly BpfInstruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength >> 3 }, (_, index) => ({
    code: view.getUint16(index * 8, true),
    jt: view.getUint8(index * 8 + 2),
    jf: view.getUint8(index * 8 + 3),
    k: view.getUint32(index * 8 + 4, true),
  }))
}

/** Lays a program out as the kernel wants it. */
export function encodeBpfProgram(program: readonly BpfInstruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  program.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, jt)
    view.setUint8(index * 8 + 3, jf)
    view.setUint32(index * 8 + 4, k, true)
  })
  return bytes
}

function check(program: readonly BpfInstruction[]): void {
  const refuse = (index: number, why: string): never => {
    throw new InvalidArgumentError(`BPF program: instruction ${index} ${why}`, { instruction: index, ...program[index] })
  }
  if (program.length === 0 || program.length > MAX_INSTRUCTIONS) {
    throw new InvalidArgumentError(`BPF program: ${program.length} instructions; give 1 to ${MAX_INSTRUCTIONS}`)
  }
  program.forEach(({ code, jt, jf, k }, index) => {
    const kind = code & 0x07
    const last = program.length - 1
    if (code > 0xff || !isKnown(code)) refuse(index, `has the unknown opcode 0x${code.toString(16)}`)
    if (kind === BPF.JMP) {
      const [whenTrue, whenFalse] = (code & 0xf0) === BPF.JA ? [k >>> 0, k >>> 0] : [jt, jf]
      if (index + 1 + whenTrue > last || index + 1 + whenFalse > last) refuse(index, 'jumps out of the program')
    }
    const usesMemory = kind === BPF.ST || kind === BPF.STX || (kind <= BPF.LDX && (code & 0xe0) === BPF.MEM)
    if (usesMemory && k >>> 0 >= MEMORY_WORDS) refuse(index, `uses memory word ${k >>> 0} of ${MEMORY_WORDS}`)
    if ((code === 0x34 || code === 0x94) && k === 0) refuse(index, 'divides by zero')
    if (index === last && kind !== BPF.RET) refuse(index, 'ends the program without a return')
  })
}

function isKnown(code: number): boolean {
  const mode = code & 0xe0
  const size = code & 0x18
  switch (code & 0x07) {
    case BPF.LD:
      if (mode === BPF.ABS || mode === BPF.IND) return size !== 0x18
      return size === BPF.W && (mode === BPF.IMM || mode === BPF.MEM || mode === BPF.LEN)
    case BPF.LDX:
      if (mode === BPF.MSH) return size === BPF.B
      return size === BPF.W && (mode === BPF.IMM || mode === BPF.MEM || mode === BPF.LEN)
    case BPF.ST:
    case BPF.STX:
      return (code & 0xf8) === 0
    case BPF.ALU:
      return (code & 0xf0) <= 0xa0
    case BPF.JMP:
      return (code & 0xf0) <= BPF.JSET
    case BPF.RET:
      return size === BPF.K || size === BPF.A
    default:
      return code === 0x07 || code === 0x87
  }
}
