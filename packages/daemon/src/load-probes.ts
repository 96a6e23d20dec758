import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgumentError, NotFoundError, type ProbeFactory } from '@skydive/contracts'
import { resolve } from 'import-meta-resolve'
import { suggest } from './suggestion.ts'

/** A probe that can be made. */
export interface LoadedProbe {
  readonly name: string
  /** Its options and components are its own; who composes knows them. */
  readonly factory: ProbeFactory<never, never>
}

/** Which probes are wanted and where they may come from. */
export interface ProbeSelection {
  /** `agent.topology.probes`. */
  readonly names: readonly string[]
  /** Probes of this build: loaded when named. */
  readonly builtIn: Readonly<Record<string, () => Promise<LoadedProbe['factory']>>>
  /** `agent.topology.modules`: every one of them is loaded. */
  readonly modules: readonly string[]
  /** The folder of the configuration file; modules are resolved from there and never from the working directory. */
  readonly folder: string | undefined
}

/**
 * Loads probes: those of this build by name, those of others by the package that exports a factory as `default`. The name of the latter
 * is what follows `skydive-probe-` in the package's name.
 *
 * @throws ERR_INVALID_ARGUMENT for an unknown name or a package without a factory; ERR_NOT_FOUND for a package that is not installed.
 */
export async function loadProbes(selection: ProbeSelection): Promise<LoadedProbe[]> {
  const own = selection.names.map(async (name) => {
    const load = Object.hasOwn(selection.builtIn, name) ? selection.builtIn[name] : undefined
    if (load === undefined) {
      const meant = suggest(name, Object.keys(selection.builtIn))
      const known = Object.keys(selection.builtIn).sort().join(', ') || 'none'
      throw new InvalidArgumentError(
        `there is no probe ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : ''} This build has: ${known}; others are packages named in topology.modules`,
        { name },
      )
    }
    return { name, factory: await load() }
  })
  const foreign = selection.modules.map((module) => loadModule(module, selection.folder))
  return Promise.all([...own, ...foreign])
}

async function loadModule(module: string, folder: string | undefined): Promise<LoadedProbe> {
  if (folder === undefined) {
    throw new InvalidArgumentError(
      `the probe package ${module} is named without a configuration file: there is no folder to find it from`,
      {
        module,
      },
    )
  }
  let url: string
  try {
    url = resolve(module, pathToFileURL(join(folder, 'skydive.yml')).href)
  } catch {
    throw new NotFoundError(`the probe package ${module} is not installed in ${folder}: run npm install ${module} there`, {
      module,
      folder,
    })
  }
  const exports = (await import(url)) as { readonly default?: unknown }
  if (typeof exports.default !== 'function') {
    throw new InvalidArgumentError(`the package ${module} exports no probe factory as default`, { module })
  }
  return { name: module.replace(/^.*skydive-probe-/, ''), factory: exports.default as LoadedProbe['factory'] }
}
