// What the table does for the packet loop. A row is told by its first word, counted from the first row's.

/** Fills the row from the packet it is of; answers how many rows it took besides, plus 1, and {@link DISSECTED_DATAGRAM}. */
export declare function dissect(row: i32): i32
/** The number of the pair of IPv6 addresses at two places, in this order. */
export declare function pair(first: i32, second: i32): i32
/** 0 for a packet that is not to be counted. */
export declare function filter(offset: i32, capturedBytes: i32, wireBytes: i32): i32
/** Makes the flow of a row; answers its number. */
export declare function create(row: i32, flags: i32): i32
/** What the flags of a few packets ask for. */
export declare function lookCloser(id: i32, row: i32, flags: i32, direction: i32): void
/** The packets of a flow in one direction have passed 2^32 - 1 and count from 0 again. */
export declare function wrap(id: i32, side: i32): void
/** Told of every packet, where the table asks for that. */
export declare function follow(id: i32, row: i32, direction: i32): void
