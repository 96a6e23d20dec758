import { describe, expect, test } from '@jest/globals'
import type { GraphNode, Metadata } from '@skydive/contracts'
import type { Net } from './changes.ts'
import type { Element } from './moves.ts'
import { type Route, Router, rootsOfKeys } from './router.ts'

const node = (metadata: Metadata): GraphNode => ({
  kind: 'node',
  id: 'n',
  metadata,
  host: 'alpha',
  origin: 'agent.alpha',
  createdAtMs: 1,
  updatedAtMs: 1,
  deletedAtMs: null,
  revision: 1,
})

/** An update that changed these top-level keys; `undefined`: the element is new. */
function update(metadata: Metadata, changed: readonly string[] | undefined): Net<Element> {
  const after = node(metadata)
  return { id: 'n', before: changed && node({}), after, gone: undefined, roots: changed && new Set(changed) }
}

function routed(routes: Readonly<Record<string, readonly [keys: readonly string[], type?: string]>>) {
  const router = new Router<string>()
  const remove = new Map<string, () => void>()
  for (const [target, [keys, type]] of Object.entries(routes)) {
    const route: Route<string> = { target, roots: rootsOfKeys(keys) }
    remove.set(target, router.add(route, type === undefined ? [] : [{ key: 'Type', values: [type], position: 0 }]))
  }
  const visited = (net: Net<Element>): readonly string[] => {
    const targets: string[] = []
    router.forEach(net, (target) => targets.push(target))
    return targets.sort()
  }
  return { visited, remove: (target: string) => remove.get(target)!() }
}

const ROUTES = {
  veth: [['Type', 'State'], 'veth'],
  bridge: [['Type'], 'bridge'],
  named: [['Name']],
  fixed: [['@ID', 'Parent']],
  revised: [['Type', '@Revision'], 'veth'],
  deep: [['Features.gro']],
} as const

describe('a change is told to', () => {
  test.each<[title: string, net: Net<Element>, targets: readonly string[]]>([
    ['whom its value and its key concern', update({ Type: 'veth' }, ['State']), ['revised', 'veth']],
    ['nobody of another value', update({ Type: 'host' }, ['State']), []],
    ['whoever scans for its key, and who looks at every revision', update({ Type: 'veth' }, ['Name']), ['named', 'revised']],
    ['whoever looks below its key', update({}, ['Features']), ['deep']],
    ['nobody, where no condition names its key', update({ Type: 'bridge' }, ['Metric']), []],
    ['all who scan, when it is new', update({ Type: 'bridge' }, undefined), ['bridge', 'deep', 'fixed', 'named']],
    ['nobody, when it is gone', { ...update({ Type: 'veth' }, ['Type']), after: undefined }, []],
  ])('%s', (_title, net, targets) => expect(routed(ROUTES).visited(net)).toEqual(targets))

  test('nobody who has left', () => {
    const { visited, remove } = routed(ROUTES)
    for (const target of ['veth', 'revised', 'named']) remove(target)
    expect(visited(update({ Type: 'veth', Name: 'x' }, undefined))).toEqual(['deep', 'fixed'])
    expect(visited(update({ Type: 'bridge' }, ['Type']))).toEqual(['bridge'])
  })
})
