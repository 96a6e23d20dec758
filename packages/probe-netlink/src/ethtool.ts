import type { MetadataObject } from '@skydive/contracts'
import type { Kernel } from '@skydive/kernel'

// The ethtool requests of linux/ethtool.h, by ioctl: a call costs a microsecond and any socket of the namespace will do.

const SIOCETHTOOL = 0x8946
const ETHTOOL_GDRVINFO = 0x03
const ETHTOOL_GSTRINGS = 0x1b
const ETHTOOL_GSSET_INFO = 0x37
const ETHTOOL_GFEATURES = 0x3a
const ETHTOOL_GLINKSETTINGS = 0x4c
const ETH_SS_FEATURES = 4
const SPEED_UNKNOWN = 0xffffffff
const NAME_BYTES = 16
const STRING_BYTES = 32
const DRIVER_AT = 4
const BUS_INFO_AT = 100
/** struct ethtool_drvinfo. */
const DRVINFO_BYTES = 196
/** struct ethtool_link_settings without its masks, which follow three times `link_mode_masks_nwords` words. */
const LINK_SETTINGS_BYTES = 48
const SCRATCH_BYTES = 8192

/** What ethtool says of an interface. */
export interface DeviceInfo {
  /** Empty when the kernel names none, as for the loopback. */
  readonly driver: string
  /** Undefined when the kernel refuses. */
  readonly busInfo: string | undefined
  readonly speedMbps: number | undefined
  /** By the kernel's own names; undefined for an interface without a driver. The same object for the same features. */
  readonly features: MetadataObject | undefined
}

/** What is known of an interface that nobody could ask about. */
export const UNKNOWN_DEVICE: DeviceInfo = { driver: '', busInfo: undefined, speedMbps: undefined, features: undefined }

/** Asks the kernel about devices. */
export interface Ethtool {
  /** `fd` is any socket of the interface's namespace. An interface that is gone gives {@link UNKNOWN_DEVICE}. About 5 µs. */
  query(fd: number, interfaceName: string): DeviceInfo
  close(): void
}

/** Prepares the memory that requests need. */
export function openEthtool(kernel: Kernel): Ethtool {
  // struct ifreq: 16 bytes of name, then a pointer to the request. Both must lie still in memory.
  const memory = kernel.mapMemory({ byteLength: 64 + SCRATCH_BYTES })
  const bytes = Buffer.from(memory.buffer)
  const view = new DataView(memory.buffer)
  const request = 64
  view.setBigUint64(NAME_BYTES, memory.address + BigInt(request), true)
  const header = new Uint8Array(memory.buffer, 0, 64)
  let featureNames: readonly string[] | undefined
  let maskWords = 0
  const featureSets = new Map<string, MetadataObject>()

  /** Issues the request laid out in memory for the interface named last. */
  const call = (fd: number, command: number) => {
    view.setUint32(request, command, true)
    return kernel.ioctl(fd, SIOCETHTOOL, header) >= 0
  }
  const text = (at: number, byteLength: number) => {
    const end = bytes.indexOf(0, request + at)
    return bytes.toString('utf8', request + at, Math.min(end < 0 ? bytes.length : end, request + at + byteLength))
  }

  const readSpeed = (fd: number): number | undefined => {
    for (let attempt = 0; attempt < 2; attempt++) {
      bytes.fill(0, request, request + LINK_SETTINGS_BYTES)
      view.setInt8(request + 15, maskWords)
      if (!call(fd, ETHTOOL_GLINKSETTINGS)) return undefined
      // Asked with the wrong number of words, the kernel answers the right one, negated; it is the same for all devices.
      const words = view.getInt8(request + 15)
      if (words >= 0) {
        const speed = view.getUint32(request + 4, true)
        return speed === SPEED_UNKNOWN || speed === 0 ? undefined : speed
      }
      maskWords = -words
    }
    return undefined
  }

  const readFeatureNames = (fd: number): readonly string[] | undefined => {
    bytes.fill(0, request, request + 24)
    view.setBigUint64(request + 8, 1n << BigInt(ETH_SS_FEATURES), true)
    if (!call(fd, ETHTOOL_GSSET_INFO)) return undefined
    const count = Math.min(view.getUint32(request + 16, true), Math.floor((SCRATCH_BYTES - 12) / STRING_BYTES))
    view.setUint32(request + 4, ETH_SS_FEATURES, true)
    view.setUint32(request + 8, count, true)
    if (!call(fd, ETHTOOL_GSTRINGS)) return undefined
    return Array.from({ length: count }, (_, i) => text(12 + i * STRING_BYTES, STRING_BYTES))
  }

  const readFeatures = (fd: number): MetadataObject | undefined => {
    featureNames ??= readFeatureNames(fd)
    if (!featureNames) return undefined
    const blocks = Math.ceil(featureNames.length / 32)
    view.setUint32(request + 4, blocks, true)
    if (!call(fd, ETHTOOL_GFEATURES)) return undefined
    // struct ethtool_get_features_block: available, requested, active, never changed.
    const active = Array.from({ length: blocks }, (_, i) => view.getUint32(request + 8 + i * 16 + 8, true))
    const key = active.join()
    let features = featureSets.get(key)
    if (!features) {
      const entries = featureNames.map((name, i): [string, boolean] => [name, ((active[i >> 5]! >>> (i & 31)) & 1) === 1])
      features = Object.fromEntries(entries.filter(([name]) => name !== ''))
      featureSets.set(key, features)
    }
    return features
  }

  return {
    query(fd, interfaceName) {
      bytes.fill(0, 0, NAME_BYTES)
      bytes.write(interfaceName, 0, NAME_BYTES - 1)
      bytes.fill(0, request, request + DRVINFO_BYTES)
      const known = call(fd, ETHTOOL_GDRVINFO)
      const driver = known ? text(DRIVER_AT, 32) : ''
      const busInfo = known ? text(BUS_INFO_AT, 32) : undefined
      return { driver, busInfo, speedMbps: readSpeed(fd), features: driver === '' ? undefined : readFeatures(fd) }
    },
    close() {
      memory.close()
    },
  }
}
