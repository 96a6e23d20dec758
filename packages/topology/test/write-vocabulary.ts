// Writes the reference page of the vocabulary from the constants and schemas of this package.
import { writeFileSync } from 'node:fs'
import { vocabularyPage } from '../src/index.ts'

writeFileSync(new URL('../../../docs/55-vocabulary.md', import.meta.url), vocabularyPage())
