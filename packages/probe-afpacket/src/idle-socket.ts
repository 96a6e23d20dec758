import { UnavailableError } from '@skydive/contracts'
import { Errno, type Kernel, systemError } from '@skydive/kernel'
import { packetAddress, SO_ERROR, SOL_SOCKET } from './packet-socket.ts'

const GETSOCKNAME = process.arch === 'arm64' ? 204 : 51
/** In `struct sockaddr_ll`. */
const INTERFACE_INDEX = 4
/** What the kernel sets when the interface goes (packet(7), net/packet/af_packet.c). */
const NO_INTERFACE = -1
/** An interface that is deleted is told of by netlink as well, and its capture stopped: only one that is still missed after that went elsewhere. */
const LOOKS_UNTIL_GONE = 3

/** Looks after a packet socket that has nothing to read. */
export class IdleSocket {
  readonly #kernel: Kernel
  readonly #fd: number
  readonly #error = new Int32Array(1)
  readonly #address = packetAddress(0, 0)
  readonly #addressBytes = Uint32Array.of(this.#address.length)
  /** An interface goes down before it leaves. */
  #wasDown = false
  #looksGone = 0

  constructor(kernel: Kernel, fd: number) {
    this.#kernel = kernel
    this.#fd = fd
  }

  /**
   * Fetches the error that the socket may have: an interface that goes down leaves one, and the socket can be read at once for as long as it
   * has it. To be called when there was nothing to read, now and then also without being woken.
   * @throws ERR_UNAVAILABLE when the interface is not in the namespace of the socket any more, at the third look; ERR_SYSTEM_CALL for another
   * error than that it is down.
   */
  look(): void {
    this.#kernel.getSocketOption(this.#fd, SOL_SOCKET, SO_ERROR, this.#error)
    const errno = this.#error[0]!
    if (errno !== 0 && errno !== Errno.ENETDOWN) throw systemError('read a packet socket', errno)
    this.#wasDown ||= errno !== 0
    if (!this.#wasDown) return
    this.#looksGone = this.#isBound() ? 0 : this.#looksGone + 1
    if (this.#looksGone < LOOKS_UNTIL_GONE) return
    throw new UnavailableError('capture: the interface left its network namespace: it was moved to another one, or deleted', {
      retryable: true,
    })
  }

  #isBound(): boolean {
    const address = this.#address
    this.#kernel.systemCall(GETSOCKNAME, this.#fd, address, this.#addressBytes)
    return new DataView(address.buffer).getInt32(INTERFACE_INDEX, true) !== NO_INTERFACE
  }
}
