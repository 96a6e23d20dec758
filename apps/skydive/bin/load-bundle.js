// Runs the bundle from the code that V8 made of it at an earlier start: compiling it anew takes half of a daemon's start.
'use strict'

const { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const { pathToFileURL } = require('node:url')
const vm = require('node:vm')

/** Commands that run code of their own; each has its own compiled code. */
const COMMANDS = ['allinone', 'agent', 'analyzer', 'client', 'flows', 'doctor']
/** After this time what a start needs has run. V8 forgets later what has not run for long. */
const RECORD_AFTER_MS = 3_000
/** The last line of a bundle, see tools/build-apps.mjs. */
const NAMED = /^\/\/ contents: ([0-9a-f]{16})\n$/
const NAMED_BYTES = '// contents: 0123456789abcdef\n'.length

/**
 * Evaluates the CommonJS bundle at a path and answers its `main`, and the URL to hand to it. Compiled code lies beside it in `code-cache`, by version
 * of Node, processor, command and contents of the bundle: V8 refuses code of another V8, but of another source only when it has another length. The first
 * process that finds none leaves it there, where it may write.
 */
function loadBundle(path) {
  const command = process.argv.slice(2).find((word) => COMMANDS.includes(word)) ?? 'other'
  // The bundle is ASCII, see tools/build-apps.mjs.
  const bundle = readFileSync(path)
  const cache = join(dirname(path), 'code-cache', `${process.version}-${process.arch}-${command}-${contentsOf(bundle)}.bin`)
  const script = new vm.Script(
    `(function (exports, require, module, bundleUrl, importModule) {${bundle.toString('latin1')}\n})`,
    {
      filename: path,
      cachedData: readIfThere(cache),
    },
  )
  if (script.cachedDataRejected !== false) recordCode(script, cache)
  const module = { exports: {} }
  const url = pathToFileURL(path).href
  script.runInThisContext()(module.exports, createRequire(path), module, url, (name) => import(name))
  return { main: module.exports.main, url }
}

/** What the build wrote at the end; without that a hash, for which Node has to load its cryptography. */
function contentsOf(bundle) {
  const [, name] = NAMED.exec(bundle.toString('latin1', bundle.length - NAMED_BYTES)) ?? []
  return name ?? require('node:crypto').createHash('sha1').update(bundle).digest('hex').slice(0, 16)
}

function readIfThere(path) {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function removeIfThere(path) {
  try {
    rmSync(path)
  } catch {
    // It was never written.
  }
}

/** Keeps the code that has been compiled by the end of the start, or of the process if that comes first. */
function recordCode(script, path) {
  const timer = setTimeout(record, RECORD_AFTER_MS).unref()
  process.once('exit', record)
  function record() {
    clearTimeout(timer)
    process.removeListener('exit', record)
    const unfinished = `${path}.${process.pid}`
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(unfinished, script.createCachedData())
      renameSync(unfinished, path)
    } catch {
      // A folder that is not ours, or a full disk: the next start compiles again.
      removeIfThere(unfinished)
    }
  }
}

module.exports = { loadBundle }
