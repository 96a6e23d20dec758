import { type Authenticator, createBasicAuth } from '@skydive/api-server'
import { InvalidArgumentError, UnsupportedError } from '@skydive/contracts'
import type { Config } from '@skydive/daemon'

/** The authenticator of a section of `auth`; `undefined` lets everybody in. */
export async function authenticatorOf(config: Config, name: string): Promise<Authenticator | undefined> {
  const section = config.values.auth[name]
  if (!section) {
    const known = Object.keys(config.values.auth).join(', ')
    throw new InvalidArgumentError(`auth backend ${JSON.stringify(name)} is not declared; there are: ${known}`, { name })
  }
  if (section.type === 'noauth') return undefined
  if (section.type === 'basic') {
    return createBasicAuth({
      users: section.users,
      role: section.role,
      ...(section.file !== undefined && { file: section.file }),
    })
  }
  throw new UnsupportedError(`auth backend ${name}: ${section.type} is not part of this version; use basic`, {
    service: section.type,
  })
}
