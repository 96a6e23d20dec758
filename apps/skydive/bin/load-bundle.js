// Runs the bundle from the code that V8 made of it at an earlier start: compiling it anew takes half of a daemon's start.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'

/** Commands that run code of their own; each has its own compiled code. */
const COMMANDS = ['allinone', 'agent', 'analyzer', 'client', 'flows', 'doctor']
/** After this time what a start needs has run. V8 forgets later what has not run for long. */
const RECORD_AFTER_MS = 3_000

/**
 * Evaluates the CommonJS bundle at a URL and answers its exports. Compiled code lies beside it in `code-cache`, by version of Node, processor,
 * command and contents of the bundle: V8 refuses code of another V8, but of another source only when it has another length. The first process that finds
 * none leaves it there, where it may write.
 */
export function loadBundle(url) {
  const path = fileURLToPath(url)
  const command = process.argv.slice(2).find((word) => COMMANDS.includes(word)) ?? 'other'
  // The bundle is ASCII, see tools/build-apps.mjs.
  const bundle = readFileSync(path)
  const contents = createHash('sha1').update(bundle).digest('hex').slice(0, 16)
  const cache = new URL(`code-cache/${process.version}-${process.arch}-${command}-${contents}.bin`, url)
  const script = new vm.Script(
    `(function (exports, require, module, bundleUrl, importModule) {${bundle.toString('latin1')}\n})`,
    {
      filename: path,
      cachedData: readIfThere(cache),
    },
  )
  if (script.cachedDataRejected !== false) recordCode(script, cache)
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(url), module, url.href, (name) => import(name))
  return module.exports
}

function readIfThere(url) {
  try {
    return readFileSync(url)
  } catch {
    return undefined
  }
}

function removeIfThere(url) {
  try {
    rmSync(url)
  } catch {
    // It was never written.
  }
}

/** Keeps the code that has been compiled by the end of the start, or of the process if that comes first. */
function recordCode(script, url) {
  const timer = setTimeout(record, RECORD_AFTER_MS).unref()
  process.once('exit', record)
  function record() {
    clearTimeout(timer)
    process.removeListener('exit', record)
    const unfinished = new URL(`${url.href}.${process.pid}`)
    try {
      mkdirSync(new URL('.', url), { recursive: true })
      writeFileSync(unfinished, script.createCachedData())
      renameSync(unfinished, url)
    } catch {
      // A folder that is not ours, or a full disk: the next start compiles again.
      removeIfThere(unfinished)
    }
  }
}
