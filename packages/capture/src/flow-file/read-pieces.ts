import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { InvalidArgumentError, NotFoundError, PermissionError, UnavailableError } from '@skydive/contracts'

/** As much as stays in the second cache until it has been counted. */
const PIECE_BYTES = 256 * 1024

/**
 * The bytes of a file in order, in pieces that are valid until the next one is asked for. Of a regular file each is read at once: waiting for
 * another thread would take as long as reading it.
 * @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_INVALID_ARGUMENT for a directory.
 */
export async function* readPieces(file: string, input?: Readable): AsyncGenerator<Uint8Array> {
  if (file === '-') {
    if (!input) throw new InvalidArgumentError('file "-": there is no input to read', { file })
    yield* input as AsyncIterable<Uint8Array>
    return
  }
  const handle = await openFile(file)
  try {
    const stats = await handle.stat()
    if (stats.isDirectory()) throw new InvalidArgumentError(`file "${file}": it is a directory; give a capture file`, { file })
    const buffer = new Uint8Array(PIECE_BYTES)
    for (;;) {
      // A pipe may keep its reader waiting, which nothing else has to suffer from.
      const bytesRead = stats.isFile() ? readSync(handle.fd, buffer) : (await handle.read(buffer)).bytesRead
      if (bytesRead === 0) return
      yield bytesRead === PIECE_BYTES ? buffer : buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r')
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
