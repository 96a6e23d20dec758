// Writes docs/50-configuration.md: npx tsx --conditions=@skydive/source packages/daemon/scripts/write-configuration-page.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderConfigurationPage } from '../src/configuration-page.ts'

writeFileSync(join(import.meta.dirname, '../../../docs/50-configuration.md'), renderConfigurationPage())
