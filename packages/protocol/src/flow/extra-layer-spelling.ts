import { timestampOf } from './extra-layers.ts'

/** How the state after release 0.28.0 of the original spells members (spec flows 1.17), and how the release does, which is ours. */
const RELEASE_NAMES: ReadonlyMap<string, string> = new Map([
  ['q_d_count', 'QDCount'],
  ['a_n_count', 'ANCount'],
  ['n_s_count', 'NSCount'],
  ['a_r_count', 'ARCount'],
  ['c_name', 'CNAME'],
  ['m_name', 'MName'],
  ['r_name', 'RName'],
  ['code', 'Code'],
  ['data', 'Data'],
  ['virtual_rtrID', 'VirtualRtrID'],
  ['count_ipaddr', 'CountIPAddr'],
])

/** An extra layer of a flow's JSON with the names of the release, whichever it came with. */
export function releaseSpelling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(releaseSpelling)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (name === 'timestamp' && typeof member === 'object' && member !== null) return [name, timestampOf(member)]
      return [RELEASE_NAMES.get(name) ?? name, releaseSpelling(member)]
    }),
  )
}
