import { EXTRA_LAYERS, InvalidArgumentError } from '@skydive/contracts'

const BITS: Readonly<Record<string, number>> = {
  VRRP: EXTRA_LAYERS.VRRP,
  DNS: EXTRA_LAYERS.DNS,
  DHCPV4: EXTRA_LAYERS.DHCPv4,
  ALL: 255,
}

/** The mask that `--extra-layer` asks for by names, in any case. @throws ERR_INVALID_ARGUMENT naming the one that is unknown. */
export function extraLayerMask(names: readonly string[]): number {
  return names.reduce((mask, name) => {
    const bit = BITS[name.toUpperCase()]
    if (bit === undefined)
      throw new InvalidArgumentError(`--extra-layer: ${JSON.stringify(name)} is none of VRRP, DNS, DHCPv4, ALL`)
    return mask | bit
  }, 0)
}
