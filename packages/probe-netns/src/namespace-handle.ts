import { statfsSync, statSync } from 'node:fs'

/** NSFS_MAGIC of linux/magic.h: the file system that handles of namespaces live in. */
const NSFS_MAGIC = 0x6e736673

/** What the kernel tells a namespace apart by. Shape: `{ key: '4:4026532247', device: 4, inode: 4026532247 }`. */
export interface NamespaceIdentity {
  readonly key: string
  readonly device: number
  readonly inode: number
}

/**
 * The identity of the namespace whose handle is at `path`. `undefined` when there is none (yet): `ip netns add` first makes an empty file
 * and then mounts the handle over it.
 */
export function readIdentity(path: string): NamespaceIdentity | undefined {
  try {
    if (statfsSync(path).type !== NSFS_MAGIC) return undefined
    const { dev: device, ino: inode } = statSync(path)
    return { key: `${device}:${inode}`, device, inode }
  } catch {
    return undefined
  }
}
