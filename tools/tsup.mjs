// The one build recipe of the libraries: ESM with declarations, one output file an entry, nothing bundled but own files.
import { defineConfig } from 'tsup'

/** @param {{entry: string[] | Record<string, string>}} options */
export function library({ entry }) {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'node20',
    platform: 'neutral',
    // Types are inferred and written, but not checked again for each package: the type check of `npm test` does it once for all of them.
    dts: { compilerOptions: { noCheck: true } },
    sourcemap: true,
    clean: true,
    silent: true,
  })
}
