// Only what biome can't do: promises that nobody waits for (typed), and the import rules of the house, made from the manifests.
import tseslint from 'typescript-eslint'
import { forbiddenImports, packages } from './tools/layers.mjs'

const NODE_REASON = 'layers 0 and 1 run in a browser: no Node built-in.'

const importRules = packages().map((from) => {
  const forbidden = forbiddenImports(from)
  const neutral = !from.node && ['0', '1a', '1b'].includes(from.layer)
  return {
    files: [`packages/${from.folder}/src/**/*.{ts,tsx}`],
    ignores: ['**/*.test.ts', '**/*.test.tsx'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: forbidden,
          patterns: [
            ...forbidden.map(({ name, message }) => ({ group: [`${name}/*`], message })),
            { regex: '^\\.\\./\\.\\./', message: 'a package reaches into another only by its name.' },
            ...(neutral ? [{ group: ['node:*'], message: NODE_REASON }] : []),
          ].filter(({ regex }) => regex === undefined || from.folder !== 'web'),
        },
      ],
    },
  }
})

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/.cache/**', '**/*.gen.js', '**/*.gen.d.ts'] },
  {
    files: ['packages/*/src/**/*.{ts,tsx}', 'apps/*/src/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'name what is exported: the public surface is one explicit list.' },
      ],
    },
  },
  ...importRules,
)
