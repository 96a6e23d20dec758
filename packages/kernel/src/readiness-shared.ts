/** struct epoll_event (sys/epoll.h) is packed on x86-64 and nowhere else. */
export const EPOLL_EVENT_BYTES = process.arch === 'x64' ? 12 : 16
export const EPOLL_DATA_AT = process.arch === 'x64' ? 4 : 8
/** The slot of the event descriptor that ends the worker. */
export const STOP_SLOT = 0xffffffff

/** What the worker is given. `pending` has an Int32 for each slot: 1 while a report about it is under way. */
export interface ReadinessWorkerData {
  readonly epollFd: number
  readonly pending: SharedArrayBuffer
}

/** What the worker says. */
export type ReadinessReport =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ready'; readonly slots: readonly number[] }
  | { readonly kind: 'failed'; readonly errno: number }
