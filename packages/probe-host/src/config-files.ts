import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type Logger, NotFoundError } from '@skydive/contracts'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'

/** A value of a configuration file of the host that is shown at `Config.<name>` (`agent.metadata_config.files`). */
export interface ConfigFile {
  readonly path: string
  readonly type: 'json' | 'toml' | 'ini' | 'yaml' | 'yml' | 'properties' | 'props' | 'prop'
  readonly name: string
  /** Where the value stands in the file, such as `server.port`. */
  readonly selector: string
}

/**
 * The value of a file as text. @throws ERR_NOT_FOUND when the selector leads nowhere, and whatever the parser or the file system throws.
 */
export function readConfigValue({ path, type, selector }: ConfigFile): string {
  const text = readFileSync(path, 'utf8')
  const parsed =
    type === 'json'
      ? JSON.parse(text)
      : type === 'toml' || type === 'ini'
        ? parseToml(text)
        : type.startsWith('y')
          ? parseYaml(text)
          : undefined
  const value = parsed === undefined ? parseProperties(text).get(selector) : select(parsed, selector)
  if (value === undefined || value === null) throw new NotFoundError(`${path}: there is no ${selector}`, { path, selector })
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function select(root: unknown, selector: string): unknown {
  let value = root
  for (const key of selector.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value
}

/** Lines `key = value` or `key: value`; `#` and `!` begin a comment. */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => line.trim())
  return new Map(
    lines
      .filter((line) => line !== '' && !/^[#!]/.test(line))
      .map((line): [string, string] => {
        const at = line.search(/[=:]/)
        return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
      }),
  )
}

/** Follows the files, each by itself: `changed` is told a value now and whenever it is another. Answers how to stop. */
export function watchConfigFiles(
  files: readonly ConfigFile[],
  logger: Logger,
  changed: (file: ConfigFile, value: string) => void,
): () => void {
  const watchers: FSWatcher[] = []
  for (const file of files) {
    let last: string | undefined
    const refresh = () => {
      try {
        const value = readConfigValue(file)
        if (value !== last) changed(file, value)
        last = value
      } catch (error) {
        logger.warn({ path: file.path, name: file.name, error: (error as Error).message }, 'configuration value can not be read')
      }
    }
    refresh()
    try {
      // The folder is watched: editors put a new file in the place of the old one.
      const watcher = watch(dirname(file.path), (_, name) => {
        if (name === basename(file.path)) refresh()
      })
      watcher.on('error', () => watcher.close())
      watchers.push(watcher)
    } catch (error) {
      logger.warn({ path: file.path, error: (error as Error).message }, 'configuration file can not be watched')
    }
  }
  return () => {
    for (const watcher of watchers) watcher.close()
  }
}
