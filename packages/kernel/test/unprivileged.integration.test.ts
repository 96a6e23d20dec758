import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { enterPrivateNetwork } from '@skydive/testkit'
import { openKernel } from '../src/index.ts'

const REFUSED = join(import.meta.dirname, 'unprivileged.ts')

test('what is refused names the capability that it takes', () => {
  const node = [process.execPath, '--import', 'tsx', '--conditions=@skydive/source', REFUSED]
  const { NODE_OPTIONS: _, ...env } = process.env
  const kernel = openKernel()
  // A network of its own has the ports below 1024 protected, whatever the host does.
  const network = enterPrivateNetwork(kernel.systemCall)
  try {
    const printed = execFileSync('setpriv', ['--inh-caps=-all', '--bounding-set=-all', ...node], { encoding: 'utf8', env })
    expect(JSON.parse(printed)).toEqual([
      'open socket (domain 17, protocol 0): EPERM; it takes CAP_NET_RAW',
      'open socket (domain 2, protocol 1): EPERM; it takes CAP_NET_RAW',
      'bind a socket: EACCES; it takes CAP_NET_BIND_SERVICE',
      'enter namespace /proc/self/ns/net: EPERM; it takes CAP_SYS_ADMIN',
    ])
  } finally {
    network.leave()
    kernel.dispose()
  }
}, 30_000)
