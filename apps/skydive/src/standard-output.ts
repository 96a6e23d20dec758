import { fstatSync, writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty } from 'node:tty'

const STDOUT_FD = 1

/** Where a command writes, and how it is told at the end whether all of that got there. */
export interface StandardOutput {
  readonly stream: Writable & { readonly isTTY?: boolean }
  /**
   * Waits until everything is written and answers the exit code of the process: that of the command, or 1 where the output failed, which is told on
   * `stderr`. A reader that has seen enough (`| head`) is no failure.
   */
  finish(exitCode: number, stderr: NodeJS.WritableStream): Promise<number>
}

/** The standard output of this process. */
export function standardOutput(): StandardOutput {
  // As bigint: the other kind of answer stays in Node, whose resolver of modules takes that of a pipe for one of the path that it follows and leaves
  // symbolic links as they are.
  const stats = fstatSync(STDOUT_FD, { bigint: true })
  const isFile = stats.isFile() || (stats.isCharacterDevice() && !isatty(STDOUT_FD))
  return watched(isFile ? new FileOutput(STDOUT_FD) : process.stdout)
}

/** A {@link StandardOutput} of any stream, which must be nobody else's. */
export function watched(stream: StandardOutput['stream']): StandardOutput {
  // Without a listener the first error would end the process with a trace of calls. Node's own streams forget theirs.
  let error: NodeJS.ErrnoException | undefined
  stream.on('error', (first) => {
    error ??= first
  })
  return {
    stream,
    async finish(exitCode, stderr) {
      await new Promise<void>((resolve) => stream.write('', () => resolve()))
      if (!error || error.code === 'EPIPE') return exitCode
      stderr.write(`skydive: standard output: ${error.message}; what is there is not all\n`)
      return 1
    },
  }
}

/**
 * Writes to a file: all that it is given, or an error. Node's own stream for files takes the part that still went on a nearly full disk for the whole.
 * Writing waits for the kernel, as it does in Node's: a file has no reader to wait for.
 */
export class FileOutput extends Writable {
  readonly #fd: number

  /** The descriptor stays open. */
  constructor(fd: number) {
    super()
    this.#fd = fd
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at)
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }
}
