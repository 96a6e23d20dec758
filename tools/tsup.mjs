// The one build recipe of the libraries: ESM with declarations, one output file an entry, nothing bundled but own files.
import { defineConfig } from 'tsup'

/** @param {{entry: string[] | Record<string, string>}} options */
export function library({ entry }) {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'node20',
    platform: 'neutral',
    dts: true,
    sourcemap: true,
    clean: true,
    silent: true,
  })
}
