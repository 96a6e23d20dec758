import type { Logger, Probe, ProbeComponents, Service } from '@skydive/contracts'
import { type Config, loadProbes } from '@skydive/daemon'

/** Probes that every agent runs; naming them in the configuration is legal and changes nothing. */
const ALWAYS = new Set(['hardware', 'netlink', 'netns'])
/** Probes of the original that this version does not have: configurations that name them keep working, with a warning. */
const NOT_IN_THIS_VERSION = new Set(
  'bess blockdev docker libvirt lldp lxd neutron opencontrail ovsdb runc socketinfo vpp'.split(' '),
)

/**
 * The probes that the configuration names besides those that always run: packages of others, found from the folder of the file.
 * @throws ERR_INVALID_ARGUMENT for a name that nobody knows, ERR_NOT_FOUND for a package that is not installed.
 */
export async function foreignProbes(config: Config, components: ProbeComponents, logger: Logger): Promise<readonly Probe[]> {
  const { probes, modules } = config.values.agent.topology
  for (const name of probes) if (NOT_IN_THIS_VERSION.has(name)) logger.warn({ probe: name }, 'probe is not part of this version')
  const names = probes.filter((name) => !ALWAYS.has(name) && !NOT_IN_THIS_VERSION.has(name))
  const loaded = await loadProbes({ names, builtIn: {}, modules, folder: config.folder })
  return loaded.map(({ factory }) => factory()(components as never))
}

/** A probe that may fail without taking the agent with it: it is left out, and said why. */
export function tolerated(probe: Probe, logger: Logger): Service {
  return {
    async start(signal) {
      try {
        await probe.start(signal)
      } catch (error) {
        logger.error({ probe: probe.name, reason: (error as Error).message }, 'probe can not run here')
      }
    },
    stop: () => probe.stop(),
  }
}
