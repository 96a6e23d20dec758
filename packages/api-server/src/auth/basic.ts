import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from '@skydive/contracts'
import { compare } from 'bcryptjs'
import { apr1 } from './apr1.ts'
import { type Authenticator, equalSecrets, rememberingAuthenticator } from './authenticator.ts'

/** The backend `basic` (spec platform 6.1): users of the configuration, or those of an htpasswd file. */
export interface BasicAuthOptions {
  /** User to clear-text password. */
  readonly users?: Readonly<Record<string, string>>
  /** An htpasswd file with bcrypt (`htpasswd -B`), apr1 MD5 or SHA-1 entries; read once. */
  readonly file?: string
  /** @default 'admin' */
  readonly role?: string
}

/** A hash that no password has, so that an unknown user takes as long as a known one. */
const NOBODY = '$2b$10$CwTycUXWue0Thq9StjUM0uJ8p5p6m4q1Yq1e3x8Jm0o4xq1b0Zb1K'

/**
 * Makes the backend `basic`.
 *
 * @throws ERR_INVALID_ARGUMENT when there are neither users nor a file, or the file is unreadable or holds an unknown hash.
 */
export async function createBasicAuth(options: BasicAuthOptions): Promise<Authenticator> {
  const role = options.role ?? 'admin'
  const plain = new Map(Object.entries(options.users ?? {}))
  const hashed = options.file === undefined ? new Map<string, string>() : await readPasswordFile(options.file)
  if (plain.size === 0 && hashed.size === 0) {
    throw new InvalidArgumentError('basic authentication needs users: set auth.<name>.users or auth.<name>.file')
  }
  return rememberingAuthenticator({
    scheme: 'Basic',
    async authenticate(user, password) {
      const clear = plain.get(user)
      const right = clear === undefined ? await verify(password, hashed.get(user) ?? NOBODY) : equalSecrets(clear, password)
      return right ? { user, role } : undefined
    },
  })
}

async function readPasswordFile(path: string): Promise<Map<string, string>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(`password file ${path}: ${(error as Error).message}`, { path }, error)
  }
  const users = new Map<string, string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const at = line.indexOf(':')
    const hash = line.slice(at + 1).trim()
    if (at <= 0 || !/^(\$2[aby]\$|\$apr1\$|\{SHA\})/.test(hash)) {
      throw new InvalidArgumentError(
        `password file ${path}, line ${index + 1}: expected user:hash with a bcrypt, apr1 or SHA hash`,
        {
          path,
          line: index + 1,
        },
      )
    }
    users.set(line.slice(0, at), hash)
  }
  return users
}

async function verify(password: string, hash: string): Promise<boolean> {
  if (hash.startsWith('$2')) return compare(password, hash).catch(() => false)
  if (hash.startsWith('$apr1$')) return equalSecrets(apr1(password, hash.split('$')[2] ?? ''), hash)
  return equalSecrets(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash)
}
