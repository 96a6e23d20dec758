import { suggest } from '@skydive/daemon'
import type { Command } from 'commander'
import type { CliStreams } from '../cli.ts'
import { clientCommand } from '../client/index.ts'
import { addDaemons } from './daemons.ts'
import { addDoctor } from './doctor.ts'
import { addVersion } from './version.ts'

// Every command but `flows`, in two halves around it: the order is that of the help.

/** Daemons and client. */
export function addBefore(program: Command, streams: CliStreams): void {
  addDaemons(program, streams)
  program.addCommand(clientCommand(streams))
}

/** Tools. */
export function addAfter(program: Command, streams: CliStreams): void {
  addDoctor(program, streams)
  addVersion(program, streams)
}

/** Ends with the name that was probably meant. */
export function refuseCommand(command: Command, name: string, exitCode: number): never {
  const meant = suggest(
    name,
    command.commands.map((inner) => inner.name()),
  )
  command.error(`error: unknown command '${name}'${meant ? `; did you mean ${meant}?` : ''}`, { exitCode })
}
