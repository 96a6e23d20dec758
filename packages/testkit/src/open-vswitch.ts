import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAMS = ['ovsdb-server', 'ovs-vswitchd', 'ovs-vsctl', 'ovsdb-tool']
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const VSCTL_SECONDS = 20

/** An Open vSwitch of a test: real daemons with the datapath in user space, which takes no kernel module. */
export interface OpenVSwitch {
  /** Unix socket of its database. */
  readonly database: string
  /** Runs `ovs-vsctl` and answers what it prints; throws with what it said when it fails. */
  vsctl(...args: readonly string[]): string
  /** Ends both daemons and takes their files away. Devices of bridges go with the namespace. */
  stop(): Promise<void>
}

/** Whether Open vSwitch (Debian: `openvswitch-switch`) is installed. */
export function hasOpenVSwitch(): boolean {
  return PROGRAMS.every((program) => ['/usr/sbin', '/usr/bin'].some((folder) => existsSync(join(folder, program))))
}

/**
 * Starts an Open vSwitch in the named network namespace, which the test made. Make a bridge and set its datapath in one go:
 * `vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev')`. Takes root.
 */
export async function launchOpenVSwitch(netns: string): Promise<OpenVSwitch> {
  const folder = mkdtempSync(join(tmpdir(), 'ovs-'))
  const database = join(folder, 'db.sock')
  const daemons: ChildProcess[] = []
  const env = { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder }
  const inside = ['netns', 'exec', netns]
  const run = (program: string, ...args: readonly string[]) => {
    daemons.push(spawn('ip', [...inside, program, ...args], { env, stdio: 'ignore' }))
  }
  const vsctl = (...args: readonly string[]) =>
    execFileSync('ip', [...inside, 'ovs-vsctl', `--timeout=${VSCTL_SECONDS}`, `--db=unix:${database}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const stop = async () => {
    for (const daemon of daemons.splice(0).reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue
      const ended = once(daemon, 'exit')
      daemon.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    execFileSync('ovsdb-tool', ['create', join(folder, 'conf.db'), SCHEMA])
    run('ovsdb-server', join(folder, 'conf.db'), `--remote=punix:${database}`, `--unixctl=${join(folder, 'db.ctl')}`)
    vsctl('--no-wait', '--retry', 'init')
    run('ovs-vswitchd', `unix:${database}`, `--unixctl=${join(folder, 'vs.ctl')}`)
  } catch (error) {
    await stop()
    throw error
  }
  return { database, vsctl, stop }
}
