import { describe, expect, test } from '@jest/globals'
import { hardwareMetadata, parseCommandLine, parseCpuInfo, parseCpuList } from './hardware.ts'

describe('parseCpuList', () => {
  test.each([
    ['3,4,7-9,10', [3, 4, 7, 8, 9, 10]],
    ['0-1\n', [0, 1]],
    ['\n', []],
    ['9-7', undefined],
    ['7-', undefined],
    ['-7', undefined],
    ['a', undefined],
    ['0-99999999', undefined],
  ])('%j', (text, expected) => {
    expect(parseCpuList(text)).toEqual(expected)
  })
})

describe('parseCommandLine', () => {
  test.each([
    ['quiet console=ttyS0 a= b=c=d -- 2024\n', { quiet: true, console: 'ttyS0', a: '', b: 'c=d', '--': true, '2024': true }],
    ['', {}],
    ['  x  y ', { x: true, y: true }],
  ])('%j', (text, expected) => {
    expect(parseCommandLine(text)).toEqual(expected)
  })
})

const CPU = `processor	: 1
vendor_id	: AuthenticAMD
cpu family	: 26
model		: 2
model name	: AMD EPYC
stepping	: 1
microcode	: 0x1000065
cpu MHz		: 2596.140
cache size	: 1024 KB
physical id	: 0
core id		: 1
cpu cores	: 2
flags		: fpu vme
`
const CPU_METADATA = {
  CPU: 1,
  CacheSize: 1024,
  CoreID: '1',
  Cores: 1,
  Family: '26',
  Mhz: 2596,
  Microcode: '0x1000065',
  Model: '2',
  ModelName: 'AMD EPYC',
  PhysicalID: '0',
  Stepping: 1,
  VendorID: 'AuthenticAMD',
}

describe('parseCpuInfo', () => {
  test('one entry a logical CPU, as the recorded host node has it', () => {
    const first = CPU.replace(': 1\nvendor', ': 0\nvendor')
    const { CPU: _, ...withoutIndex } = CPU_METADATA
    expect(parseCpuInfo(`${first}\n${CPU}\n`)).toEqual([withoutIndex, CPU_METADATA])
  })

  test.each([[''], ['Hardware\t: BCM2835\n'], ['\n\n\n']])('%j has none', (text) => {
    expect(parseCpuInfo(text)).toEqual([])
  })
})

describe('hardwareMetadata', () => {
  const table = (files: Readonly<Record<string, string>>) => hardwareMetadata((path) => files[path], '6.1.0')
  test.each<[string, Readonly<Record<string, string>>, object]>([
    ['nothing to read', {}, {}],
    [
      'Debian takes its point release from its own file',
      { '/etc/os-release': 'ID=debian\nVERSION_ID="12"\n', '/etc/debian_version': '12.11\n' },
      { Platform: 'debian', PlatformFamily: 'debian', PlatformVersion: '12.11' },
    ],
    [
      'a family by likeness',
      { '/etc/os-release': 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n' },
      { Platform: 'rocky', PlatformFamily: 'rhel', PlatformVersion: '9.3' },
    ],
    ['a cloud instance', { '/var/lib/cloud/data/instance-id': 'i-123\n' }, { InstanceID: 'i-123' }],
    ['isolated CPUs', { '/sys/devices/system/cpu/isolated': '2-3\n' }, { IsolatedCPU: [2, 3] }],
    ['a list of CPUs that makes no sense', { '/sys/devices/system/cpu/isolated': '3-2\n' }, {}],
    ['a KVM guest', { '/sys/class/dmi/id/sys_vendor': 'QEMU\n' }, { VirtualizationSystem: 'kvm', VirtualizationRole: 'guest' }],
    [
      'a KVM host',
      { '/proc/modules': 'kvm_intel 1 0\nkvm 1 1 kvm_intel\n' },
      { VirtualizationSystem: 'kvm', VirtualizationRole: 'host' },
    ],
    ['a container', { '/proc/self/cgroup': '0::/docker/abc\n' }, { VirtualizationSystem: 'docker', VirtualizationRole: 'guest' }],
  ])('%s', (_, files, expected) => {
    expect(table(files)).toEqual({ OS: 'linux', KernelVersion: '6.1.0', ...expected })
  })
})
