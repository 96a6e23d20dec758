import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { InvalidArgumentError } from '@skydive/contracts'
import { parseDocument } from 'yaml'
import { isTree, lowerKeys, mergeInto, type Tree } from './tree.ts'

/**
 * Reads and merges configuration files in order.
 *
 * @throws ERR_INVALID_ARGUMENT naming the file, and the line of bad YAML.
 */
export async function readConfigFiles(
  files: readonly string[],
  defaultFile: string,
): Promise<{ readonly tree: Tree; readonly folder: string | undefined }> {
  const chosen = files.length > 0 ? files : existsSync(defaultFile) ? [defaultFile] : []
  const tree: Tree = {}
  let folder: string | undefined
  for (const file of chosen) {
    mergeInto(tree, parseYaml(await read(file), file === '-' ? 'standard input' : file))
    if (file !== '-') folder = dirname(resolve(file))
  }
  return { tree, folder }
}

async function read(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(`configuration file ${file} cannot be read: ${(error as Error).message}`, { file }, error)
  }
}

function parseYaml(source: string, name: string): Tree {
  const document = parseDocument(source, { prettyErrors: true })
  const fault = document.errors[0]
  if (fault) throw new InvalidArgumentError(`configuration file ${name} is no YAML: ${fault.message.trim()}`, { file: name })
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  if (value === null || value === undefined) return {}
  if (isTree(value)) return lowerKeys(value) as Tree
  throw new InvalidArgumentError(`configuration file ${name} must be a map of keys, got ${JSON.stringify(value)?.slice(0, 80)}`, {
    file: name,
  })
}
