import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of one certificate, PEM. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** An authority, and what it vouches for. */
export interface TestAuthority extends CertificateFiles {
  /** A certificate for these names and addresses, such as `['localhost', '127.0.0.1']`; the files are `<name>.pem` and `<name>.key`. */
  issue(name: string, hosts: readonly string[]): CertificateFiles
}

/** Makes an authority of its own in `folder`, by the `openssl` program; everything it signs is good for a day. Takes some 20 ms each. */
export function createTestAuthority(folder: string, name = 'authority'): TestAuthority {
  const openssl = (...args: readonly string[]) => void execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const filesOf = (base: string) => ({ cert: join(folder, `${base}.pem`), key: join(folder, `${base}.key`) })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const authority = filesOf(name)
  openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-keyout', authority.key, '-out', authority.cert)
  return {
    ...authority,
    issue(base, hosts) {
      const files = filesOf(base)
      const request = join(folder, `${base}.csr`)
      const extensions = join(folder, `${base}.ext`)
      const names = hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? 'IP' : 'DNS'}:${host}`)
      writeFileSync(extensions, `subjectAltName=${names.join(',')}\n`)
      openssl('req', ...newKey.slice(0, -2), '-subj', `/CN=${base}`, '-keyout', files.key, '-out', request)
      const signed = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial', '-days', '1', '-extfile', extensions]
      openssl('x509', '-req', '-in', request, ...signed, '-out', files.cert)
      return files
    },
  }
}
