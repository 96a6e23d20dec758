import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createFlowTable } from '@skydive/flow-table'
import { type Kernel, openDatagramReceiver, openDatagramSender, openKernel } from '@skydive/kernel'
import { type Figure, median } from '../../../bench/figures.ts'
import { SAMPLE_FORMAT, SFlowCollector } from '../src/index.ts'
import { PlainCollector } from '../test/plain-collector.ts'
import { SAMPLES, switchDatagrams } from '../test/switch-datagrams.ts'

// Datagrams that wait in a socket of the loopback to flows in memory, with what the kernel does for the receiver, beside a socket of Node.

const ROUNDS = 41
const FLOWS = 7_000
const DATAGRAMS = 1_024
const BUFFER_BYTES = 8 * 1024 * 1024
const NOW_MS = 1_700_000_000_000

/** Nanoseconds of CPU for each sample of a round, of the whole process. */
async function cost(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / (DATAGRAMS * SAMPLES)
}

/** Sends one round to a port: a system call for 256 datagrams. */
function senderTo(kernel: Kernel, port: number, datagrams: readonly Uint8Array[]) {
  const sender = openDatagramSender(kernel, { address: '127.0.0.1', port, maxDatagramBytes: 2048 })
  let next = 0
  return {
    send() {
      for (let i = 0; i < DATAGRAMS; i++, next++) {
        const datagram = datagrams[next % datagrams.length]!
        sender.bytes.set(datagram, sender.reserve())
        sender.commit(datagram.length)
      }
      if (sender.flush() > 0) throw new Error('the kernel did not take all datagrams')
    },
    close: () => sender.close(),
  }
}

function ours(kernel: Kernel, datagrams: readonly Uint8Array[]) {
  const table = createFlowTable({ nodeTid: 'bench', exporterAddress: '10.0.0.1' })
  table.warmUp()
  const consume = table.consumer(SAMPLE_FORMAT)
  const collector = new SFlowCollector(undefined, 256)
  const receiver = openDatagramReceiver(kernel, { address: '127.0.0.1', port: 0, bufferBytes: BUFFER_BYTES })
  const sender = senderTo(kernel, receiver.port, datagrams)
  return {
    round() {
      sender.send()
      return cost(() =>
        receiver.receive(
          (view, offset, byteLength) => collector.gather(view, offset, byteLength, NOW_MS, consume),
          () => collector.flush(),
        ),
      )
    },
    close() {
      const { received } = receiver.stats()
      if (received !== ROUNDS * DATAGRAMS || table.size < FLOWS) throw new Error(`${received} datagrams, ${table.size} flows`)
      receiver.close()
      sender.close()
    },
  }
}

async function theirs(kernel: Kernel, datagrams: readonly Uint8Array[]) {
  const plain = new PlainCollector()
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const sender = senderTo(kernel, socket.address().port, datagrams)
  let left = 0
  let finish = () => {}
  socket.on('message', (bytes) => {
    plain.consume(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, NOW_MS)
    if (--left === 0) finish()
  })
  return {
    round() {
      left = DATAGRAMS
      sender.send()
      return cost(() => new Promise<void>((resolve) => (finish = resolve)))
    },
    close() {
      socket.close()
      sender.close()
    },
  }
}

export const bench = {
  name: 'sflow-received',
  async run(): Promise<readonly Figure[]> {
    const kernel = openKernel()
    const datagrams = switchDatagrams(FLOWS)
    const [one, other] = [ours(kernel, datagrams), await theirs(kernel, datagrams)]
    const [own, peer]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      own.push(await one.round())
      peer.push(await other.round())
    }
    one.close()
    other.close()
    kernel.dispose()
    const [value, peerValue] = [median(own), median(peer)]
    const name = 'a sample of a datagram received, to 7k flows'
    return [{ name, value, unit: 'ns', peer: 'node:dgram, objects and a Map', peerValue, ratio: peerValue / value }]
  },
}
