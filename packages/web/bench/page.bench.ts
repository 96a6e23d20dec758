import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import type { Figure } from '../../../bench/figures.ts'
import type {} from '../src/mount.tsx'

const CHROMIUM = '/usr/bin/chromium'
const FOLDER = join(import.meta.dirname, '..', '.cache', 'bench-page')
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const file = join(FOLDER, path === '/' ? 'index.html' : path)
    if (!existsSync(file)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

/** Frames a second while the drawing is dragged for `seconds`: those that the browser offered, and those that were drawn. */
async function pan(page: Page, seconds: number): Promise<{ offered: number; drawn: number }> {
  return page.evaluate(async (durationSeconds) => {
    const canvas = document.querySelector('canvas')!
    const box = canvas.getBoundingClientRect()
    const at = (type: string, x: number): void => {
      canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + 200, pointerId: 1, bubbles: true }))
    }
    canvas.setPointerCapture = () => {}
    const drawnBefore = window.skydiveCanvas!.frames()
    let offered = 0
    const start = performance.now()
    at('pointerdown', 300)
    while (performance.now() - start < durationSeconds * 1_000) {
      await new Promise(requestAnimationFrame)
      offered += 1
      at('pointermove', 300 + 120 * Math.sin(offered / 20))
    }
    at('pointerup', 300)
    const elapsed = (performance.now() - start) / 1_000
    return { offered: offered / elapsed, drawn: (window.skydiveCanvas!.frames() - drawnBefore) / elapsed }
  }, seconds)
}

/** ms from the last byte of the generated graph to the first frame that shows it. */
async function firstPicture(page: Page, url: string): Promise<number> {
  await page.addInitScript(() => {
    const Original = window.Worker
    window.Worker = class extends Original {
      constructor(script: string | URL, options?: WorkerOptions) {
        super(script, options)
        this.addEventListener('message', ({ data }) => {
          const marks = window as unknown as { lastByteMs?: number; pictureMs?: number }
          if (data.kind === 'bench') marks.lastByteMs = performance.now()
          if (data.kind === 'scene' && data.delta.elements.length > 1) {
            requestAnimationFrame(() => requestAnimationFrame(() => (marks.pictureMs ??= performance.now())))
          }
        })
      }
    }
  })
  await page.goto(url)
  await page.waitForFunction(() => (window as unknown as { pictureMs?: number }).pictureMs !== undefined, undefined, {
    timeout: 60_000,
  })
  return page.evaluate(() => {
    const marks = window as unknown as { lastByteMs: number; pictureMs: number }
    return marks.pictureMs - marks.lastByteMs
  })
}

/** ms from the wish to unfold a host until its members are drawn. */
async function unfold(page: Page, id: string): Promise<number> {
  return page.evaluate(async (host) => {
    const start = performance.now()
    window.skydivePage!.setOpen(host, true)
    while (!window.skydiveCanvas!.position(`${host}n0`)) await new Promise(requestAnimationFrame)
    return performance.now() - start
  }, id)
}

async function run(): Promise<Figure[]> {
  await build({ configFile: join(import.meta.dirname, 'page', 'vite.config.ts'), logLevel: 'error' })
  const server = await serve()
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const newPage = async (): Promise<Page> => {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
      // The loader of TypeScript names functions through a helper that the page does not have.
      await page.addInitScript({ content: 'globalThis.__name ??= (value) => value' })
      return page
    }
    const figures: Figure[] = []

    const live = await newPage()
    await live.goto(`${base}?hosts=91&open&live`)
    await live.waitForFunction(() => window.skydiveCanvas?.position('h90n9i9') !== undefined, undefined, { timeout: 60_000 })
    const { offered, drawn } = await pan(live, 5)
    figures.push({ name: '10,101 visible, 200 updates/s, panning: frames offered', value: offered, unit: 'frames/s' })
    figures.push({ name: '10,101 visible, 200 updates/s, panning: frames drawn', value: drawn, unit: 'frames/s' })
    await live.close()

    const folded = await newPage()
    figures.push({
      name: '100,000 behind folds: last byte to first picture',
      value: await firstPicture(folded, `${base}?hosts=901`),
      unit: 'ms',
    })
    figures.push({ name: '100,000 behind folds: unfold a host', value: await unfold(folded, 'h450'), unit: 'ms' })
    await folded.close()
    return figures
  } finally {
    await browser.close()
    server.close()
  }
}

export const bench = { name: 'page', run }
