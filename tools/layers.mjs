// The layers of the house, read from the manifests: who may import whom (ARCHITECTURE.md, "Layers").
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES = join(import.meta.dirname, '..', 'packages')
/** Index = rank. A package imports packages of a smaller rank only. */
const ORDER = ['0', '1a', '1b', '2', '3', '4']

/** `[{ folder, name, layer, rank, node }]`, sorted by folder. */
export function packages() {
  return readdirSync(PACKAGES)
    .sort()
    .flatMap((folder) => {
      try {
        const { name, skydive } = JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8'))
        return [
          {
            folder,
            name,
            layer: skydive.layer,
            rank: ORDER.indexOf(skydive.layer),
            node: skydive.node,
            allow: skydive.allow ?? [],
          },
        ]
      } catch (error) {
        if (error.code === 'ENOENT') return []
        throw error
      }
    })
}

/** Folders of the packages that must run in a browser as well. */
export function neutralPackages() {
  return packages()
    .filter(({ node, layer }) => !node && ORDER.indexOf(layer) <= ORDER.indexOf('1b'))
    .map(({ folder }) => folder)
}

/** The packages that `from` may not import, each with the reason that the linter prints. */
export function forbiddenImports(from) {
  return packages().flatMap((to) => {
    if (to.name === from.name || from.allow.includes(to.name)) return []
    if (to.name === '@skydive/contracts') return []
    if (from.name === '@skydive/testkit')
      return [
        {
          name: to.name,
          message:
            'testkit imports contracts alone: engines and parsers come in as arguments, so that no cycle of dependencies arises.',
        },
      ]
    if (to.name === '@skydive/testkit') return []
    if (from.name === '@skydive/web' && (to.rank <= ORDER.indexOf('1b') || to.name === '@skydive/client')) return []
    if (to.rank < from.rank) return []
    const message =
      to.rank === from.rank
        ? `${from.name} and ${to.name} are both of layer ${to.layer}: neighbours never import each other. What they share belongs in @skydive/contracts.`
        : `${from.name} is of layer ${from.layer}, ${to.name} of layer ${to.layer}: imports point down only.`
    return [{ name: to.name, message }]
  })
}
