import { InvalidArgumentError } from '@skydive/contracts'
import { z } from 'zod'
import type { Message } from './envelope.ts'

/** The namespace of commands that start and stop captures (spec platform 2.5). */
export const CAPTURE_NAMESPACE = 'OnDemandCapture'

/** The namespace in which subscribers hear of captures. */
export const CAPTURE_NOTIFICATION_NAMESPACE = 'OnDemandCaptureNotification'

/** The namespace of flow table queries (spec platform 2.7); bodies are the protobuf messages of `@skydive/protocol/flow`. */
export const FLOW_NAMESPACE = 'Flow'

const commandSchema = z.object({
  NodeID: z.string().min(1),
  Resource: z.looseObject({ UUID: z.string().min(1) }),
})

/** A command to a node: the resource is what REST stores, with its `UUID`. */
export type OnDemandCommand = z.infer<typeof commandSchema>

/**
 * Reads the body of `Start`, `Stop` and their replies.
 *
 * @throws ERR_INVALID_ARGUMENT for anything else.
 */
export function decodeOnDemandCommand(message: Message): OnDemandCommand {
  const parsed = commandSchema.safeParse(message.body)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError(`${message.namespace} ${message.type}: ${z.prettifyError(parsed.error)}`, { type: message.type })
}
