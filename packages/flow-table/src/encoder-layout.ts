// Where things lie in the memory of the encoder (`assembly/flow-encoder.ts`). Both sides read it: numbers alone, no imports.

/** Flows handed over at once. */
export const ENCODER_ROWS = 256

/** The number of bytes that stand in the output. */
export const AT_LENGTH = 0
/** Bytes of the node's TID, and of the fields `NodeTID` and `CaptureID` that are the same in every flow. */
export const AT_TID_BYTES = 4
export const AT_ORIGIN_BYTES = 8
/** 1 when flows of TCP have a `TCPMetric`. */
export const AT_HAS_TCP_METRIC = 12
/** Room for the key that is hashed. */
export const AT_KEY = 64
/** The start time of 8 bytes, then the TID: what a UUID is the hash of. */
export const AT_UUID_INPUT = 256
export const MAX_TID_BYTES = 1024
export const AT_ORIGIN = 2048
export const MAX_ORIGIN_BYTES = 2048
/** Where the texts of each row lie: position and length of the field `LayersPath`, then of `Application`. Four words a row. */
export const AT_REFERENCES = 4096
export const REFERENCE_SHIFT = 2
/** The rows of the columns, as `layout.ts` has them. */
export const AT_RECORDS = 8192
export const AT_COLD = 24576
export const AT_WIDE = 40960
export const AT_TCP = 73728
/** The eight words of each row's pair of IPv6 addresses. */
export const AT_PAIRS = 90112
export const PAIR_SHIFT = 3
/** Texts that were met. */
export const AT_TEXTS = 98304
export const TEXTS_BYTES = 98304
/** What was written. A flow always fits in, as its texts do in the room of the texts. */
export const AT_OUTPUT = 196608
export const OUTPUT_BYTES = 327680
/** All of it, in the pages of 64 KiB that WebAssembly counts in. */
export const ENCODER_PAGES = 8
/** More than a flow takes besides its texts. */
export const FIXED_BYTES = 640
