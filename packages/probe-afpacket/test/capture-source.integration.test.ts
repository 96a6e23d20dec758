import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { describeCaptureSource } from '@skydive/testkit/capture-source'
import { captureSource } from '../src/index.ts'

const kernel = openKernel()
let network: PrivateNetwork
let ifindex: number

beforeAll(() => {
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('netns add far', 'link add v0 type veth peer name v1 netns far', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up')
  network.run('ip', ['link', 'set', 'v1', 'address', '02:00:00:00:00:02', 'up'], 'far')
  network.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev v0')
  ifindex = (network.query(['link', 'show', 'v0']) as { ifindex: number }[])[0]!.ifindex
})

afterAll(() => {
  network?.leave()
  kernel.dispose()
})

/** UDP that nobody answers: the far end has no address. */
const send = (packets: number, dataBytes = 100) =>
  network.run('nping', [
    '--udp',
    '-c',
    `${packets}`,
    '--rate',
    '100000',
    '-p',
    '9',
    '--data-length',
    `${dataBytes}`,
    '-N',
    '-q',
    '-H',
    '10.9.0.2',
  ])

describeCaptureSource('afpacket', {
  runner: { describe, it, expect },
  waitReadable: (fds, timeoutMs) => kernel.waitReadable(fds, timeoutMs),
  createCase: () => ({
    module: captureSource,
    target: { interfaceName: 'v0', ifindex, bpfFilter: 'udp', snapLength: 256, excludePeers: [] },
    send: (packets) => void send(packets),
    overflow: {
      options: { ringBytes: 131_072, blockBytes: 65_536 },
      send: () => {
        send(5_000, 1_000)
        return 5_000
      },
    },
  }),
})
