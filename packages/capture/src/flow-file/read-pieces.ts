import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
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
 * Opens a file, or takes `input` for `-`. Of a regular file each piece is read at once: waiting for another thread would take as long as
 * reading it.
 * @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_INVALID_ARGUMENT for a directory or when there is no input.
 */
export async function openInput(file: string, input?: Readable): Promise<CaptureInput> {
  if (file === '-') {
    if (!input) throw new InvalidArgumentError('file "-": there is no input to read', { file })
    return { pieces: () => input as AsyncIterable<Uint8Array>, close: async () => {} }
  }
  const handle = await openFile(file)
  const close = () => handle.close()
  const stats = await handle.stat()
  if (stats.isDirectory()) {
    await close()
    throw new InvalidArgumentError(`file "${file}": it is a directory; give a capture file`, { file })
  }
  return { pieces: () => piecesOf(handle, stats.isFile()), close, ...(stats.isFile() && { fd: handle.fd }) }
}

async function* piecesOf(handle: FileHandle, isRegular: boolean): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES)
  for (;;) {
    // A pipe may keep its reader waiting, which nothing else has to suffer from.
    const bytesRead = isRegular ? readSync(handle.fd, buffer) : (await handle.read(buffer)).bytesRead
    if (bytesRead === 0) return
    yield bytesRead === PIECE_BYTES ? buffer : buffer.subarray(0, bytesRead)
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
