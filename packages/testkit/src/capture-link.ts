import { enterPrivateNetwork, type SystemCall } from './private-network.ts'

/** An interface to capture on, in a network of its own, and somebody who sends through it. */
export interface CaptureLink {
  readonly interfaceName: string
  readonly ifindex: number
  /** Sends UDP of so many bytes as fast as `nping` can, out of the interface; nobody answers. Returns when all are sent. */
  send(packets: number, dataBytes?: number): void
  /** Takes the thread back to where it was; the kernel clears the network away. */
  leave(): void
}

/**
 * Puts the calling thread into a network with a veth pair, as {@link enterPrivateNetwork} does: for `describeCaptureSource` over sources
 * that read interfaces. Takes CAP_SYS_ADMIN and nping.
 */
export function enterCaptureLink(systemCall: SystemCall): CaptureLink {
  const network = enterPrivateNetwork(systemCall)
  try {
    network.ip('netns add far', 'link add v0 type veth peer name v1 netns far', 'addr add 10.9.0.1/24 dev v0', 'link set v0 up')
    network.run('ip', ['link', 'set', 'v1', 'address', '02:00:00:00:00:02', 'up'], 'far')
    // The far end has no address, so that nothing comes back.
    network.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev v0')
    const [{ ifindex }] = network.query(['link', 'show', 'v0']) as [{ readonly ifindex: number }]
    const options = ['--udp', '--rate', '100000', '-p', '9', '-N', '-q', '-H']
    return {
      interfaceName: 'v0',
      ifindex,
      send(packets, dataBytes = 100) {
        network.run('nping', [...options, '-c', `${packets}`, '--data-length', `${dataBytes}`, '10.9.0.2'])
      },
      leave: () => network.leave(),
    }
  } catch (error) {
    network.leave()
    throw error
  }
}
