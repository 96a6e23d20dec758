/** The keys by which nodes are looked up without a scan, unless more are declared. */
export const DEFAULT_NODE_INDEXES: readonly string[] = ['Type', 'Name', 'TID', 'MAC', 'PeerIntfMAC', '@Host', '@Origin']

/** The same for edges. */
export const DEFAULT_EDGE_INDEXES: readonly string[] = ['RelationType', '@Host', '@Origin']
