import { describe, expect, test } from '@jest/globals'
import type { CaptureTarget } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'
import { BPF, type BpfInstruction, encodeBpfProgram, ownTrafficProgram } from '@skydive/packet'
import { attachFilter, NOTHING, setProgram, targetProgram } from './socket-filter.ts'

const TARGET: CaptureTarget = { interfaceName: 'lo', ifindex: 1, bpfFilter: '', snapLength: 100, excludePeers: [] }
const answer = (k: number): BpfInstruction => ({ code: BPF.RET | BPF.K, jt: 0, jf: 0, k })
const peers = [{ address: '10.0.0.1', port: 8082 }]
/** Loads skb->pkt_type (SKF_AD_OFF + SKF_AD_PKTTYPE), and drops what goes out (PACKET_OUTGOING). */
const incoming = [{ code: 0x20, jt: 0, jf: 0, k: 0xfffff004 }, { code: 0x15, jt: 0, jf: 1, k: 4 }, answer(0)]

describe('the program of a capture', () => {
  test.each<readonly [string, Partial<CaptureTarget>, number, boolean, readonly BpfInstruction[], readonly unknown[]]>([
    ['takes all, as far as the snap length', {}, 1, false, [answer(100)], []],
    ['takes 256 bytes when none was asked for', { snapLength: 0 }, 1, false, [answer(256)], []],
    ['leaves out what goes out of the loopback', {}, 1, true, [...incoming, answer(100)], []],
    ['leaves out own traffic', { excludePeers: peers }, 1, false, [...ownTrafficProgram(peers, 1), answer(100)], []],
    [
      'leaves out own traffic of bare IP',
      { excludePeers: peers },
      101,
      false,
      [...ownTrafficProgram(peers, 101), answer(100)],
      [],
    ],
    ['is what the user wants', { bpfFilter: 'udp' }, 1, false, [answer(77)], [['udp', { linkType: 1, snapLength: 100 }]]],
    [
      'is what the user wants of bare IP',
      { bpfFilter: 'udp' },
      101,
      false,
      [answer(77)],
      [['udp', { linkType: 101, snapLength: 100 }]],
    ],
    [
      'is all of that, what the user wants last',
      { bpfFilter: 'udp', excludePeers: peers, snapLength: 0 },
      1,
      true,
      [...incoming, ...ownTrafficProgram(peers, 1), answer(77)],
      [['udp', { linkType: 1, snapLength: 256 }]],
    ],
  ])('%s', (_title, over, linkType, isLoopback, program, compiled) => {
    const asked: unknown[] = []
    const compileBpf = (...args: readonly unknown[]) => {
      asked.push(args)
      return encodeBpfProgram([answer(77)])
    }
    expect(targetProgram({ compileBpf } as unknown as Kernel, { ...TARGET, ...over }, linkType, isLoopback)).toEqual(program)
    expect(asked).toEqual(compiled)
  })
})

describe('a program is given to a socket', () => {
  /** A kernel whose memory lies at an address; tells what the socket was given while the memory was there. */
  function giving(refuses = false) {
    const done: unknown[] = []
    const kernel = {
      mapMemory: ({ byteLength }: { byteLength: number }) => {
        const buffer = new ArrayBuffer(byteLength)
        done.push(() => [...new Uint8Array(buffer)])
        return { buffer, address: 0x1122334455667788n, close: () => void done.push('unmapped') }
      },
      setSocketOption: (fd: number, level: number, name: number, value: Uint8Array) => {
        done.push([fd, level, name, Buffer.from(value).toString('hex')])
        if (refuses) throw new Error('refused')
      },
    }
    const told = () => done.map((one) => (typeof one === 'function' ? (one as () => unknown)() : one))
    return { kernel: kernel as unknown as Kernel, told }
  }
  const program = [answer(1), answer(2)]

  test('by the address of a copy of it, which goes afterwards', () => {
    const { kernel, told } = giving()
    setProgram(kernel, 7, [263, 22], program)
    expect(told()).toEqual([[...encodeBpfProgram(program)], [7, 263, 22, '02000000000000008877665544332211'], 'unmapped'])
  })

  test('as its filter; one that lets nothing in answers 0', () => {
    const { kernel, told } = giving()
    attachFilter(kernel, 7, NOTHING)
    expect(told()).toEqual([[6, 0, 0, 0, 0, 0, 0, 0], [7, 1, 26, '01000000000000008877665544332211'], 'unmapped'])
  })

  test('with the number of its instructions', () => {
    const { kernel, told } = giving()
    attachFilter(kernel, 7, Array<BpfInstruction>(300).fill(answer(1)))
    expect(told()[1]).toEqual([7, 1, 26, '2c010000000000008877665544332211'])
  })

  test('and goes when it is refused', () => {
    const { kernel, told } = giving(true)
    expect(() => attachFilter(kernel, 7, program)).toThrow('refused')
    expect(told().at(-1)).toBe('unmapped')
  })
})
