import { DecodeError } from '@skydive/contracts'
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

/** DNS, the deepest layer, has five levels. */
const MAX_DEPTH = 64

/**
 * An extra layer of a flow's JSON with the names of the release, whichever it came with.
 * @throws ERR_DECODE for one that is nested more than 64 deep.
 */
export function releaseSpelling(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new DecodeError(`flow: an extra layer is nested more than ${MAX_DEPTH} deep`, 0)
  if (Array.isArray(value)) return value.map((item) => releaseSpelling(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (name === 'timestamp' && typeof member === 'object' && member !== null) return [name, timestampOf(member)]
      return [RELEASE_NAMES.get(name) ?? name, releaseSpelling(member, depth + 1)]
    }),
  )
}
