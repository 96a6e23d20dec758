import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { InvalidArgumentError, type TlsClientSettings, type TlsServerSettings } from '@skydive/contracts'
import type { ConfigValues } from './schema/index.ts'

/** Both directions of TLS; absent members are plain. */
export interface TlsSettings {
  /** For connections that we make. */
  readonly client?: TlsClientSettings
  /** For our listener. */
  readonly server?: TlsServerSettings
}

/** The section `tls`, or as much of it as there is. */
export type TlsSection = { readonly [Key in keyof ConfigValues['tls']]?: ConfigValues['tls'][Key] | undefined }

type FileKey = Exclude<keyof TlsSection, 'require_client_cert'>

/**
 * Reads the files of the section `tls` (spec platform 6.5). The listener is secured with `server_cert` and `server_key`. Connections that
 * we make are secured when any certificate is configured; unlike the original they need none of their own. `names` are what errors call
 * the keys where they come from elsewhere, such as `{ ca_cert: '--cacert' }`.
 *
 * @throws ERR_INVALID_ARGUMENT naming the key: half of a pair, a file that can't be read, a key that is not that of the certificate.
 */
export async function readTls(
  section: TlsSection,
  names: { readonly [Key in keyof TlsSection]?: string } = {},
): Promise<TlsSettings> {
  return new TlsReader(section, names).read()
}

class TlsReader {
  readonly #section: TlsSection
  readonly #names: Readonly<Record<string, string>>

  constructor(section: TlsSection, names: Readonly<Record<string, string>>) {
    this.#section = section
    this.#names = names
  }

  async read(): Promise<TlsSettings> {
    const isDemanded = this.#section.require_client_cert ?? false
    if (isDemanded) {
      this.#demand('server_cert', 'require_client_cert')
      this.#demand('ca_cert', 'require_client_cert')
    }
    const ca = await this.#pem('ca_cert')
    if (ca !== undefined) this.#check('ca_cert', { ca })
    const own = await this.#pair('client_cert', 'client_key')
    const server = await this.#pair('server_cert', 'server_key')
    const authority = ca === undefined ? {} : { ca }
    return {
      ...((ca !== undefined || own || server) && { client: { ...authority, ...own } }),
      ...(server && { server: { ...server, ...authority, requireClientCert: isDemanded } }),
    }
  }

  async #pair(certKey: FileKey, keyKey: FileKey): Promise<{ readonly cert: string; readonly key: string } | undefined> {
    this.#demand(keyKey, certKey)
    this.#demand(certKey, keyKey)
    const cert = await this.#pem(certKey)
    const key = await this.#pem(keyKey)
    if (cert === undefined || key === undefined) return undefined
    this.#check(certKey, { cert, key })
    return { cert, key }
  }

  /** `wanted` must be set because `reason` is. */
  #demand(wanted: keyof TlsSection, reason: keyof TlsSection): void {
    if (!this.#section[reason] || this.#section[wanted]) return
    const [name, missing] = [this.#name(reason), this.#name(wanted)]
    throw new InvalidArgumentError(`${name} needs ${missing}, which is not set`, { key: missing })
  }

  #name(key: keyof TlsSection): string {
    return this.#names[key] ?? `tls.${key}`
  }

  async #pem(key: FileKey): Promise<string | undefined> {
    const file = this.#section[key]
    if (!file) return undefined
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      throw new InvalidArgumentError(`${this.#name(key)}: ${(error as Error).message}`, { key: this.#name(key), file }, error)
    }
  }

  /** Tries the material at once: what is wrong with it is told at the start, not by the first connection. */
  #check(key: FileKey, material: { readonly ca?: string; readonly cert?: string; readonly key?: string }): void {
    const about = { key: this.#name(key), file: this.#section[key] }
    if (!(material.ca ?? material.cert ?? '').includes('-----BEGIN CERTIFICATE-----')) {
      throw new InvalidArgumentError(`${about.key}: ${about.file} holds no certificate in PEM form`, about)
    }
    try {
      createSecureContext(material)
    } catch (error) {
      const reason = (error as Error).message
      throw new InvalidArgumentError(
        `${about.key}: ${about.file} can't be used${material.key ? ' with its key' : ''}: ${reason}`,
        about,
        error,
      )
    }
  }
}
