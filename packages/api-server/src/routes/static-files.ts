import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { InvalidArgumentError } from '@skydive/contracts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const compress = promisify(gzip)

/** Paths of the original's page, which bookmarks and scripts still name. */
const OLD_PAGES = ['/ui', '/ui/', '/ui/login', '/ui/topology', '/ui/preference', '/ui/status', '/ui_v2']

/** The page may load and run only what comes from this server; styles are set by its own scripts. */
const CONTENT_POLICY =
  "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
}
const COMPRESSIBLE = /^text\/|json|svg|wasm/

/** A file as it is answered, read and compressed when it is first asked for. */
interface Asset {
  readonly plain: Buffer
  readonly zipped: Buffer | undefined
}

/**
 * Serves the built page from `folder`. Only files that were there at the start have a route, so no path can lead out of the folder.
 * Files below `assets/` carry a hash in their name and may be cached for ever, the others never.
 *
 * @throws ERR_INVALID_ARGUMENT when the folder can't be read or holds no `index.html`.
 */
export function staticRoutes(app: FastifyInstance, folder: string): void {
  const files = listFiles(folder)
  if (!files.includes('index.html')) {
    throw new InvalidArgumentError(`the folder of the page has no index.html: ${folder}`, { folder })
  }
  for (const file of files) {
    const serve = serveFile(join(folder, file), file.startsWith('assets/'))
    app.get(`/${encodeURI(file)}`, serve)
    if (file === 'index.html') app.get('/', serve)
  }
  for (const path of OLD_PAGES) {
    app.get(path, (_request, reply) => reply.code(302).header('Location', '/').send(''))
  }
}

function serveFile(path: string, immutable: boolean) {
  const type = TYPES[extname(path)] ?? 'application/octet-stream'
  let asset: Promise<Asset> | undefined
  return async (request: FastifyRequest, reply: FastifyReply) => {
    asset ??= load(path, COMPRESSIBLE.test(type)).catch((error: unknown) => {
      asset = undefined
      throw error
    })
    const { plain, zipped } = await asset
    reply.headers({
      'Content-Type': type,
      'Cache-Control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      'Content-Security-Policy': CONTENT_POLICY,
      'X-Content-Type-Options': 'nosniff',
    })
    if (zipped && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
      return reply.header('Content-Encoding', 'gzip').send(zipped)
    }
    return reply.send(plain)
  }
}

async function load(path: string, zip: boolean): Promise<Asset> {
  const plain = await readFile(path)
  return { plain, zipped: zip ? await compress(plain) : undefined }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  } catch (error) {
    throw new InvalidArgumentError(`the folder of the page cannot be read: ${(error as Error).message}`, { folder }, error)
  }
}
