import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { build, type Metafile } from 'esbuild'

/** Programs of pages, each in as many pieces as a page loads one by one. */
export interface PagePrograms {
  /** The code of each piece, by file name: `suite.js`, `chunk-ABCD.js`. */
  readonly files: ReadonlyMap<string, string>
  /** The files that have a module whose path contains `part`. */
  filesWith(part: string): readonly string[]
  /** A file and what it imports at once, without what it loads when first needed. */
  loadedWith(file: string): ReadonlySet<string>
}

const ROOT = join(import.meta.dirname, '..')

/**
 * Bundles programs as a web application would: one build, split where something is loaded later. `{ suite: 'e2e/some-suite.ts' }` becomes
 * `suite.js` and chunks. A test file among them gets the runner of the page in the place of `@jest/globals`. Writes no file.
 */
export async function bundlePages(programs: Readonly<Record<string, string>>): Promise<PagePrograms> {
  const { outputFiles, metafile } = await build({
    entryPoints: programs,
    absWorkingDir: ROOT,
    outdir: ROOT,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@skydive/source'],
    alias: { '@jest/globals': join(ROOT, 'e2e/page-runner.ts') },
    logLevel: 'warning',
  })
  const files = new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]))
  return {
    files,
    filesWith: (part) =>
      [...outputs].filter(([, { inputs }]) => Object.keys(inputs).some((path) => path.includes(part))).map(([file]) => file),
    loadedWith: (file) => closure(file, outputs),
  }
}

function closure(first: string, outputs: ReadonlyMap<string, Metafile['outputs'][string]>): ReadonlySet<string> {
  const found = new Set([first])
  for (const file of found) {
    for (const { path, kind } of outputs.get(file)?.imports ?? []) if (kind === 'import-statement') found.add(basename(path))
  }
  return found
}

/** Serves an empty page at `/` and the files beside it, on the loopback address. `requested` has the names of files in the order of requests. */
export async function servePages(files: ReadonlyMap<string, string>) {
  const requested: string[] = []
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? ''
    if (name === '') return void response.setHeader('content-type', 'text/html').end('<link rel="icon" href="data:,">')
    requested.push(name)
    const code = files.get(name)
    if (code === undefined) return void response.writeHead(404).end()
    response.setHeader('content-type', 'text/javascript; charset=utf-8').setHeader('cache-control', 'no-store').end(code)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    requested,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close(): Promise<void> {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
