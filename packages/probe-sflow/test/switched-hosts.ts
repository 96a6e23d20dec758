import { execFileSync } from 'node:child_process'
import { launchOpenVSwitch, type OpenVSwitch } from '@skydive/testkit'

/** Runs `ip`; answers what it prints. */
export const ip = (...args: readonly string[]): string =>
  execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
/** Runs a program in a named namespace. */
export const at = (netns: string, ...args: readonly string[]): string => ip('netns', 'exec', netns, ...args)

/** Named namespaces with nothing but `lo`, which is up, and without IPv6, whose neighbour discovery would be traffic. */
export function addNamespaces(...names: readonly string[]): void {
  for (const netns of names) {
    ip('netns', 'add', netns)
    at(netns, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
    ip('-n', netns, 'link', 'set', 'lo', 'up')
  }
}

/** Of two hosts, 10.7.0.1 and 10.7.0.2. */
export interface SwitchedHosts {
  /** Namespaces: of the bridge `br0`, and of the hosts. */
  readonly home: string
  readonly left: string
  readonly right: string
}

/** Two hosts on a bridge of Open vSwitch, all of them in namespaces that are there already; they reach each other when it resolves. */
export async function switchHosts({ home, left, right }: SwitchedHosts): Promise<OpenVSwitch> {
  const ovs = await launchOpenVSwitch(home)
  try {
    ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev')
    for (const [netns, port, address] of [
      [left, 'b-l', '10.7.0.1/24'],
      [right, 'b-r', '10.7.0.2/24'],
    ] as const) {
      ip('link', 'add', port, 'netns', home, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns)
      ip('-n', home, 'link', 'set', port, 'up')
      ip('-n', netns, 'addr', 'add', address, 'dev', 'eth0')
      ip('-n', netns, 'link', 'set', 'eth0', 'up')
      // The datapath in user space does not fill in checksums that the sender leaves to the device.
      at(netns, 'ethtool', '-K', 'eth0', 'tx', 'off')
      ovs.vsctl('add-port', 'br0', port)
    }
    at(left, 'ping', '-c1', '-W5', '10.7.0.2')
    return ovs
  } catch (error) {
    await ovs.stop()
    throw error
  }
}
