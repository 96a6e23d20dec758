import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { InvalidArgumentError, NotFoundError, PermissionError, UnavailableError } from '@skydive/contracts'

/** Bytes mapped or read at once: a multiple of the page size, and small: what was paged in is then still in the cache when it is read. */
const PIECE_BYTES = 4 * 1024 * 1024

/**
 * The bytes of a file in order, in big pieces that are valid until the next one is asked for. Regular files are mapped in windows through
 * `@skydive/kernel`; where that is not possible, and for pipes, they are read.
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
    const map = stats.isFile() && stats.size > PIECE_BYTES ? await loadMapper() : undefined
    if (map) yield* mappedPieces(handle, stats.size, map)
    else yield* readInPieces(handle)
  } finally {
    await handle.close()
  }
}

interface Mapping {
  readonly buffer: ArrayBuffer
  close(): void
}

type Mapper = (fd: number, offset: number, byteLength: number) => Mapping

/** `undefined` where system calls are not to be had: then the file is read. */
async function loadMapper(): Promise<Mapper | undefined> {
  try {
    const { openKernel } = await import('@skydive/kernel')
    const kernel = openKernel()
    return (fd, offset, byteLength) => kernel.mapMemory({ fd, offset, byteLength, populate: true })
  } catch {
    return undefined
  }
}

async function* mappedPieces(handle: FileHandle, size: number, map: Mapper): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += PIECE_BYTES) {
    const byteLength = Math.min(PIECE_BYTES, size - offset)
    const mapping = map(handle.fd, offset, byteLength)
    try {
      yield new Uint8Array(mapping.buffer, 0, byteLength)
    } finally {
      mapping.close()
    }
  }
}

async function* readInPieces(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES)
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
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
