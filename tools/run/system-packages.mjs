// The Debian packages behind the integration suites; only installed with SKYDIVE_CI=1, as root, and only when one is missing.
import { existsSync } from 'node:fs'
import { run } from './workspace.mjs'

/** Package and a file that shows that it is there. */
const PACKAGES = {
  iproute2: '/usr/sbin/ip',
  'libpcap0.8': '/usr/lib/x86_64-linux-gnu/libpcap.so.0.8',
  tcpdump: '/usr/bin/tcpdump',
  nmap: '/usr/bin/nping',
  tshark: '/usr/bin/tshark',
  'python3-scapy': '/usr/lib/python3/dist-packages/scapy/__init__.py',
  'netcat-openbsd': '/usr/bin/nc.openbsd',
  iperf3: '/usr/bin/iperf3',
  'iputils-ping': '/usr/bin/ping',
  chromium: '/usr/bin/chromium',
  'openvswitch-switch': '/usr/sbin/ovs-vswitchd',
  softflowd: '/usr/sbin/softflowd',
  nfdump: '/usr/bin/nfcapd',
  gcc: '/usr/bin/gcc',
  'libc6-dev': '/usr/include/stdio.h',
  ethtool: '/usr/sbin/ethtool',
  'nfdump-sflow': '/usr/bin/sfcapd',
  'python3-venv': '/usr/lib/python3.11/venv/__init__.py',
  'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
}

export async function installSystemPackages() {
  const missing = Object.entries(PACKAGES).flatMap(([name, file]) =>
    existsSync(file) || existsSync(file.replace('/usr', '')) ? [] : [name],
  )
  if (missing.length === 0) return 0
  if (process.getuid() !== 0) {
    console.error(`missing system packages: ${missing.join(' ')}; run as root, or: apt-get install ${missing.join(' ')}`)
    return 1
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  return (
    (await run('apt-get', ['update'], { quiet: true, env })) ||
    run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { quiet: true, env })
  )
}
