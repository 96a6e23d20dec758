import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { CaptureTarget, Flow, RecordSource } from '@skydive/contracts'
import { createRecordTable, type RecordTable } from '@skydive/flow-table/records'
import { type Kernel, openKernel } from '@skydive/kernel'
import { hasOpenVSwitch, type OpenVSwitch } from '@skydive/testkit'
import { addNamespaces, at, ip, switchHosts } from '../../probe-sflow/test/switched-hosts.ts'
import { captureSource } from '../src/index.ts'

// Open vSwitch counts the flows of a bridge by itself, and sends them as NetFlow 5 and as IPFIX.

const withOvs = hasOpenVSwitch() ? describe : describe.skip

const name = (what: string) => `b-nfo-${what}-${process.pid}`
const [home, left, right] = [name('h'), name('l'), name('r')] as const
const PINGS = 30
const DATAGRAMS = 40

withOvs('Open vSwitch', () => {
  let kernel: Kernel
  let ovs: OpenVSwitch
  let source: RecordSource | undefined
  beforeAll(async () => {
    kernel = openKernel()
    addNamespaces(home, left, right)
    ovs = await switchHosts({ home, left, right })
  }, 60_000)
  afterEach(() => {
    source?.close()
    source = undefined
  })
  afterAll(async () => {
    await ovs?.stop()
    for (const netns of [home, left, right]) ip('netns', 'del', netns)
    kernel?.dispose()
  })

  const target: CaptureTarget = {
    interfaceName: 'lo',
    ifindex: 1,
    netns: `/run/netns/${home}`,
    bpfFilter: '',
    snapLength: 256,
    excludePeers: [],
    addresses: ['127.0.0.1'],
  }
  /** Polls into the table until `holds`; the sockets wake it, and half a minute ends it. */
  const pollUntil = (table: RecordTable, holds: () => boolean, maxWaits = 300) => {
    for (let waits = 0; waits < maxWaits && !holds(); waits++) {
      kernel.waitReadable(source!.readyFds, 100)
      source!.poll((record) => table.consume(record, Date.now()))
    }
  }
  /** Packets of 200 bytes of ICMP with their answers, and datagrams of 100 bytes, which ICMP errors answer now and then. */
  const send = () => {
    at(left, 'ping', `-c${PINGS}`, '-i0.002', '-s172', '10.7.0.2')
    const datagrams = ['-c', String(DATAGRAMS), '--delay', '2ms', '--data-length', '72']
    at(left, 'nping', '--udp', '-g', '4000', '-p', '5000', ...datagrams, '10.7.0.2')
  }
  /** Of all flows of a kind: packets and bytes from the left and from the right. */
  const sum = (flows: readonly Flow[]): readonly number[] =>
    flows
      .map(({ Network: network, Metric: metric }) => {
        const ab = [metric!.ABPackets, metric!.ABBytes]
        const ba = [metric!.BAPackets, metric!.BABytes]
        return network!.A === '10.7.0.1' ? [...ab, ...ba] : [...ba, ...ab]
      })
      .reduce((all, counts) => all.map((count, i) => count + counts[i]!), [0, 0, 0, 0])

  const NETFLOW = [
    '--',
    '--id=@n',
    'create',
    'NetFlow',
    'targets="127.0.0.1:2055"',
    'active-timeout=1',
    'add-id-to-interface=false',
  ]
  const IPFIX = [
    '--',
    '--id=@n',
    'create',
    'IPFIX',
    'targets="127.0.0.1:4739"',
    'obs_domain_id=7',
    'obs_point_id=2',
    'sampling=1',
  ]

  test.each([
    // It counts whole frames, where NetFlow 5 wants the bytes of IP.
    ['NetFlow 5', 'netflow', NETFLOW, 14, false],
    // It counts each packet twice, where it comes in and where it goes out, and says so.
    ['IPFIX', 'ipfix', [...IPFIX, 'cache_active_timeout=1'], 0, true],
  ])(
    'as a sender of %s: packets and bytes are those of the traffic',
    (_, column, create, linkBytes, countsTwice) => {
      source = captureSource.open(target) as RecordSource
      const table = createRecordTable({ nodeTid: 'tid-of-lo' })
      ovs.vsctl(...create, '--', 'set', 'Bridge', 'br0', `${column}=@n`)
      send()
      const flows = () => [...table.snapshot()].flat()
      const echo = [PINGS, PINGS * (200 + linkBytes), PINGS, PINGS * (200 + linkBytes)]
      const udp = [DATAGRAMS, DATAGRAMS * (100 + linkBytes), 0, 0]
      const seen = () => [
        sum(flows().filter(({ ICMP: icmp }) => icmp?.Type === 'ECHO')),
        sum(flows().filter(({ Application: application }) => application === 'UDP')),
      ]
      pollUntil(table, () => JSON.stringify(seen()) === JSON.stringify([echo, udp]))
      // What is counted a second time comes after what was counted first.
      ovs.vsctl('clear', 'Bridge', 'br0', column)
      pollUntil(table, () => false, 5)
      expect(seen()).toEqual([echo, udp])
      expect(source.stats().packetsDropped).toBe(0)
      const { NetFlow: netflow } = source.describe!().node as { NetFlow: { Exporters: object; Unused?: Record<string, number> } }
      expect(netflow.Exporters).toEqual({ '127.0.0.1': expect.objectContaining({ Lost: 0, SamplingRate: 1 }) })
      expect(netflow.Unused?.['RepeatedRecords'] !== undefined).toBe(countsTwice)
      expect(flows().map(({ Exporter: exporter }) => exporter?.Address)).toEqual(flows().map(() => '127.0.0.1'))
    },
    60_000,
  )
})
