import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import type { MetadataObject, MetadataValue } from '@skydive/contracts'

// Spec topology 3.1: what the host node says of its machine and system.

/** Reads a small text file; `undefined` when it can't be read. */
export type ReadText = (path: string) => string | undefined

/** Reads from the real file system. */
export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Everything that is known of the machine. Shape: `{ CPU: […], OS: 'linux', Platform: 'debian', KernelCmdLine: { quiet: true } }`. */
export function hardwareMetadata(read: ReadText = readText, kernelVersion: string = release()): MetadataObject {
  const cpus = parseCpuInfo(read('/proc/cpuinfo') ?? '')
  const isolated = parseCpuList(read('/sys/devices/system/cpu/isolated') ?? '')
  const instanceId = read('/var/lib/cloud/data/instance-id')?.trim()
  const commandLine = read('/proc/cmdline')
  return {
    ...(instanceId && { InstanceID: instanceId }),
    ...(isolated && isolated.length > 0 && { IsolatedCPU: isolated }),
    ...(cpus.length > 0 && { CPU: cpus }),
    OS: process.platform,
    ...platform(read),
    KernelVersion: kernelVersion,
    ...virtualization(read),
    ...(commandLine !== undefined && { KernelCmdLine: parseCommandLine(commandLine) }),
  }
}

/** Words of the kernel's command line: `k=v` is a text, a bare word `true`. */
export function parseCommandLine(text: string): MetadataObject {
  const words = text.trim().split(/\s+/).filter(Boolean)
  return Object.fromEntries(
    words.map((word): [string, string | boolean] => {
      const at = word.indexOf('=')
      return at < 0 ? [word, true] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** A list of CPUs such as `3,4,7-9`, expanded; `undefined` when it makes no sense (a range that is reversed or has one end). */
export function parseCpuList(text: string): readonly number[] | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return []
  const cpus: number[] = []
  for (const part of trimmed.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!match) return undefined
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    if (last < first || last > 65_535) return undefined
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu)
  }
  return cpus
}

const CPU_TEXTS: Readonly<Record<string, string>> = {
  vendor_id: 'VendorID',
  'cpu family': 'Family',
  model: 'Model',
  'physical id': 'PhysicalID',
  'core id': 'CoreID',
  'model name': 'ModelName',
  microcode: 'Microcode',
}

/** One object for each logical CPU of `/proc/cpuinfo`; what is 0 or empty is left out. */
export function parseCpuInfo(text: string): readonly MetadataObject[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => new Map(block.split('\n').map((line): [string, string] => splitField(line))))
    .filter((fields) => fields.has('processor'))
    .map((fields) => {
      const cpu: Record<string, MetadataValue> = {}
      const index = Number(fields.get('processor'))
      if (index) cpu['CPU'] = index
      for (const [field, key] of Object.entries(CPU_TEXTS)) {
        const value = fields.get(field)
        if (value) cpu[key] = value
      }
      for (const [field, key] of [
        ['stepping', 'Stepping'],
        ['cpu MHz', 'Mhz'],
        ['cache size', 'CacheSize'],
      ] as const) {
        const value = Math.trunc(Number.parseFloat(fields.get(field) ?? ''))
        if (value) cpu[key] = value
      }
      // An entry is a logical CPU: one core each.
      cpu['Cores'] = 1
      return cpu
    })
}

function splitField(line: string): [string, string] {
  const at = line.indexOf(':')
  return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
}

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  debian: ['debian', 'ubuntu', 'linuxmint', 'raspbian'],
  rhel: ['rhel', 'redhat', 'centos', 'ol', 'oracle', 'scientific', 'amzn', 'rocky', 'almalinux', 'cloudlinux'],
  fedora: ['fedora'],
  suse: ['suse', 'sles', 'opensuse', 'opensuse-leap', 'opensuse-tumbleweed'],
}

/** Distribution, its family and its version. */
function platform(read: ReadText): MetadataObject {
  const release = new Map(
    (read('/etc/os-release') ?? '').split('\n').map((line): [string, string] => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1).replace(/^"(.*)"$/, '$1')]
    }),
  )
  const id = release.get('ID') ?? ''
  const like = (release.get('ID_LIKE') ?? '').split(' ')
  const family = Object.entries(FAMILIES).find(([, ids]) => [id, ...like].some((name) => ids.includes(name)))?.[0] ?? id
  // Debian's os-release has no point release.
  const version = (id === 'debian' ? read('/etc/debian_version')?.trim() : undefined) ?? release.get('VERSION_ID') ?? ''
  return {
    ...(id && { Platform: id }),
    ...(family && { PlatformFamily: family }),
    ...(version && { PlatformVersion: version }),
  }
}

/** What the machine is virtualised by, where it says so itself; a hypervisor that hides is not guessed at. */
function virtualization(read: ReadText): MetadataObject {
  const is = (system: string, role: 'guest' | 'host') => ({ VirtualizationSystem: system, VirtualizationRole: role })
  const cgroup = read('/proc/self/cgroup') ?? ''
  for (const system of ['docker', 'lxc', 'kubepods']) {
    if (cgroup.includes(`/${system}`)) return is(system === 'kubepods' ? 'docker' : system, 'guest')
  }
  const xen = read('/proc/xen/capabilities')
  if (xen !== undefined) return is('xen', xen.includes('control_d') ? 'host' : 'guest')
  const product = `${read('/sys/class/dmi/id/sys_vendor') ?? ''} ${read('/sys/class/dmi/id/product_name') ?? ''}`
  if (product.includes('VMware')) return is('vmware', 'guest')
  if (product.includes('VirtualBox')) return is('vbox', 'guest')
  if (/KVM|QEMU/.test(product) || /QEMU Virtual CPU|Common KVM processor/.test(read('/proc/cpuinfo') ?? ''))
    return is('kvm', 'guest')
  const modules = read('/proc/modules') ?? ''
  if (/^kvm /m.test(modules)) return is('kvm', 'host')
  if (/^vboxdrv /m.test(modules)) return is('vbox', 'host')
  return {}
}
