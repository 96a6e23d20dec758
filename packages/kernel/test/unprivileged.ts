import { openKernel, socketAddress } from '../src/index.ts'

// What is refused to a process without capabilities: prints the messages as JSON.

const [AF_INET, SOCK_DGRAM, SOCK_RAW, AF_PACKET, IPPROTO_ICMP] = [2, 2, 3, 17, 1]
const kernel = openKernel()
const messageOf = (work: () => unknown): string => {
  try {
    work()
    return 'allowed'
  } catch (error) {
    return (error as Error).message
  }
}
const udp = kernel.socket({ domain: AF_INET, type: SOCK_DGRAM, protocol: 0 })
const messages = [
  () => kernel.socket({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 }),
  () => kernel.socket({ domain: AF_INET, type: SOCK_RAW, protocol: IPPROTO_ICMP }),
  () => kernel.bind(udp, socketAddress('echo', '127.0.0.1', 7)),
  () => kernel.inNamespace('/proc/self/ns/net', () => {}),
].map(messageOf)
process.stdout.write(JSON.stringify(messages))
