import { runCli } from './cli.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  entry: import.meta.url,
})
