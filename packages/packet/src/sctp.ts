import { LAYER } from './layers.ts'

/** Chunk types of RFC 9260 section 3.2, in the order of their numbers. */
const CHUNK_LAYERS = [
  LAYER.SCTPData,
  LAYER.SCTPInit,
  LAYER.SCTPInitAck,
  LAYER.SCTPSack,
  LAYER.SCTPHeartbeat,
  LAYER.SCTPHeartbeatAck,
  LAYER.SCTPAbort,
  LAYER.SCTPShutdown,
  LAYER.SCTPShutdownAck,
  LAYER.SCTPError,
  LAYER.SCTPCookieEcho,
  LAYER.SCTPCookieAck,
  LAYER.SCTPUnknownChunkType,
  LAYER.SCTPUnknownChunkType,
  LAYER.SCTPShutdownComplete,
] as const

/** The layer of an SCTP chunk type. */
export function sctpChunkLayer(type: number): number {
  return CHUNK_LAYERS[type] ?? LAYER.SCTPUnknownChunkType
}
