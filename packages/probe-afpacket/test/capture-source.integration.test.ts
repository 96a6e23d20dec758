import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openKernel } from '@skydive/kernel'
import { type CaptureLink, enterCaptureLink } from '@skydive/testkit'
import { describeCaptureSource } from '@skydive/testkit/capture-source'
import { captureSource } from '../src/index.ts'

const kernel = openKernel()
let link: CaptureLink

beforeAll(() => {
  link = enterCaptureLink(kernel.systemCall)
})

afterAll(() => {
  link?.leave()
  kernel.dispose()
})

describeCaptureSource('afpacket', {
  runner: { describe, it, expect },
  waitReadable: (fds, timeoutMs) => kernel.waitReadable(fds, timeoutMs),
  createCase: () => ({
    module: captureSource,
    target: {
      interfaceName: link.interfaceName,
      ifindex: link.ifindex,
      bpfFilter: 'udp',
      snapLength: 256,
      excludePeers: [],
    },
    send: (packets) => link.send(packets),
    overflow: {
      options: { ringBytes: 131_072, blockBytes: 65_536 },
      send: () => {
        link.send(5_000, 1_000)
        return 5_000
      },
    },
  }),
})
