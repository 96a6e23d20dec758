import { expect, test } from '@jest/globals'
import { filterProgram, interfaceRequest, packetAddress, ringRequest } from './packet-socket.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

// struct sockaddr_ll: sll_family and sll_ifindex in the order of the host, sll_protocol in that of the network.
test.each([
  [0x01020304, 0x0003, '1100000304030201000000000000000000000000'],
  [-1, 0x0800, '11000800ffffffff000000000000000000000000'],
])('the address of interface %d for protocol %d', (ifindex, protocol, bytes) => {
  expect(hex(packetAddress(ifindex, protocol))).toBe(bytes)
})

// struct tpacket_req3: tp_block_size, tp_block_nr, tp_frame_size, tp_frame_nr, tp_retire_blk_tov, tp_sizeof_priv, tp_feature_req_word.
test.each([
  [131_072, 8, 2048, 10, '000002000800000000080000000200000a0000000000000000000000'],
  [4096, 3, 2048, 300, '0010000003000000000800000600000' + '02c0100000000000000000000'],
])(
  'a ring of %d bytes times %d with frames of %d, handed over after %d ms',
  (blockBytes, blocks, frameBytes, retireMs, bytes) => {
    expect(hex(ringRequest(blockBytes, blocks, frameBytes, retireMs))).toBe(bytes)
  },
)

// struct sock_fprog: len, padding, filter.
test('a program of 258 instructions', () => {
  expect(hex(filterProgram(258, 0x0102030405060708n))).toBe('02010000000000000807060504030201')
})

// struct ifreq: ifr_name with a zero at its end, then what is asked for.
test.each([
  ['lo', '6c6f'],
  ['fifteen-letters', '6669667465656e2d6c657474657273'],
  ['sixteen--letters', '7369787465656e2d2d6c6574746572'],
])('a request for %s', (name, start) => {
  expect(hex(interfaceRequest(name))).toBe(start.padEnd(80, '0'))
})
