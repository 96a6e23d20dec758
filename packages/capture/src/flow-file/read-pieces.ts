import { close, closeSync, fstatSync, open, openSync, read, readSync, type Stats, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { InvalidArgumentError, NotFoundError, PermissionError, UnavailableError } from '@skydive/contracts'

/** As much as stays in the second cache until it has been counted. */
const PIECE_BYTES = 256 * 1024

/** A capture file that is open for reading. */
export interface CaptureInput {
  /** The descriptor of a regular file, at its beginning: all that it has can be read at once and anywhere. Absent for pipes and streams. */
  readonly fd?: number
  /** The bytes in order, in pieces that are valid until the next one is asked for. */
  pieces(): AsyncIterable<Uint8Array>
  /** To be called in any case, whatever was read. */
  close(): Promise<void>
}

/**
 * Opens a file, or takes `input` for `-`. A regular file is opened at once and each piece of it read at once: waiting for another thread would
 * take as long, and `node:fs/promises` a millisecond to load.
 * @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_INVALID_ARGUMENT for a directory or when there is no input.
 */
export async function openInput(file: string, input?: Readable): Promise<CaptureInput> {
  if (file === '-') {
    if (!input) throw new InvalidArgumentError('file "-": there is no input to read', { file })
    return { pieces: () => input as AsyncIterable<Uint8Array>, close: async () => {} }
  }
  const { fd, stats } = await openFile(file)
  if (stats.isDirectory()) {
    closeSync(fd)
    throw new InvalidArgumentError(`file "${file}": it is a directory; give a capture file`, { file })
  }
  if (!stats.isFile()) return { pieces: () => piecesOfPipe(fd), close: () => promised<void>((done) => close(fd, done)) }
  return { fd, pieces: () => piecesOfFile(fd), close: async () => closeSync(fd) }
}

async function* piecesOfFile(fd: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES)
  for (;;) {
    const bytesRead = readSync(fd, buffer)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** A pipe may keep its reader waiting, which nothing else has to suffer from. */
async function* piecesOfPipe(fd: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES)
  for (;;) {
    const bytesRead = await promised<number>((done) => read(fd, buffer, 0, PIECE_BYTES, null, done))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function openFile(file: string): Promise<{ fd: number; stats: Stats }> {
  try {
    const isRegular = statSync(file).isFile()
    // Opening a pipe waits for its writer.
    const fd = isRegular ? openSync(file, 'r') : await promised<number>((done) => open(file, 'r', done))
    return { fd, stats: fstatSync(fd) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new NotFoundError(`file "${file}": there is no such file`, { file })
    if (code === 'EACCES' || code === 'EPERM') {
      throw new PermissionError(`file "${file}": it may not be read; check its mode or run as its owner`, { file }, error)
    }
    throw new UnavailableError(`file "${file}": it can't be opened (${code})`, {
      retryable: false,
      fields: { file },
      cause: error,
    })
  }
}

function promised<T>(start: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value as T))))
}
