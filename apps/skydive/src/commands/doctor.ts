import { existsSync } from 'node:fs'
import { defaultDataFolder } from '@skydive/daemon'
import type { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { ExitStatus } from '../exit-status.ts'

/** What one thing needs here, whether it is there, and what would mend it. */
interface Finding {
  readonly name: string
  readonly works: boolean
  readonly detail: string
  readonly remedy?: string
}

/** `skydive doctor`: what works on this machine, what does not, why, and the command that mends it. */
export function addDoctor(program: Command, streams: CliStreams): void {
  program
    .command('doctor')
    .description('say what works on this machine, what does not, why, and what would mend it')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine(streams.environment)
      streams.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : findings.map(line).join(''))
      if (findings.some(({ works }) => !works)) throw new ExitStatus(1)
    })
}

function line({ name, works, detail, remedy }: Finding): string {
  const mark = works ? 'ok     ' : 'missing'
  return `${mark}  ${name.padEnd(22)} ${detail}${remedy === undefined ? '' : `\n         ${''.padEnd(22)} → ${remedy}`}\n`
}

async function examine(environment: CliStreams['environment']): Promise<Finding[]> {
  const { loadBpfCompiler, readCapabilities } = await import('@skydive/kernel')
  const capabilities = readCapabilities()
  const root = 'run as root: sudo npm start'
  const capability = (name: 'CAP_NET_ADMIN' | 'CAP_SYS_ADMIN' | 'CAP_NET_RAW', what: string): Finding =>
    capabilities.has(name)
      ? { name: what, works: true, detail: name }
      : { name: what, works: false, detail: `this process lacks ${name}`, remedy: root }
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  return [
    {
      name: 'Node',
      works: major > 20 || (major === 20 && minor >= 19),
      detail: process.version,
      ...((major < 20 || (major === 20 && minor < 19)) && { remedy: 'install Node 20.19 or later' }),
    },
    { name: 'kernel', works: process.platform === 'linux', detail: `${process.platform} ${process.arch}` },
    capability('CAP_SYS_ADMIN', 'other namespaces'),
    capability('CAP_NET_ADMIN', 'events of namespaces'),
    capability('CAP_NET_RAW', 'capture'),
    bpf(loadBpfCompiler),
    store(),
    {
      name: 'named namespaces',
      works: true,
      detail: existsSync('/var/run/netns') ? '/var/run/netns' : '/var/run/netns is not there yet; it is waited for',
    },
    { name: 'data folder', works: true, detail: environment['SKYDIVE_DATA_DIR'] ?? defaultDataFolder(environment) },
  ]
}

function bpf(load: () => { readonly library: string }): Finding {
  try {
    return { name: 'BPF filters', works: true, detail: load().library }
  } catch (error) {
    return { name: 'BPF filters', works: false, detail: (error as Error).message, remedy: 'apt-get install libpcap0.8' }
  }
}

function store(): Finding {
  const builtIn = process.getBuiltinModule?.('node:sqlite') !== undefined
  return { name: 'embedded store', works: true, detail: builtIn ? 'node:sqlite' : '@photostructure/sqlite' }
}
