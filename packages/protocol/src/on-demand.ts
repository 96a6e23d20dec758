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

const replySchema = commandSchema.extend({ Reason: z.string().optional().catch(undefined) })

/** What an agent answers: the command, and of one that failed the reason, which agents of the original leave out. */
export type OnDemandReply = z.infer<typeof replySchema>

/**
 * Reads the body of `Start` and `Stop`.
 *
 * @throws ERR_INVALID_ARGUMENT for anything else.
 */
export function decodeOnDemandCommand(message: Message): OnDemandCommand {
  return decode(commandSchema, message)
}

/**
 * Reads the body of `StartReply` and `StopReply`.
 *
 * @throws ERR_INVALID_ARGUMENT for anything else.
 */
export function decodeOnDemandReply(message: Message): OnDemandReply {
  return decode(replySchema, message)
}

function decode<T>(schema: z.ZodType<T>, message: Message): T {
  const parsed = schema.safeParse(message.body)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError(`${message.namespace} ${message.type}: ${z.prettifyError(parsed.error)}`, { type: message.type })
}
