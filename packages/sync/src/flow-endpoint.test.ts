import { expect, it } from '@jest/globals'
import {
  type ConnectionHandler,
  FLOW_NAMESPACE,
  type Message,
  type OutgoingMessage,
  type PeerConnection,
} from '@skydive/protocol'
import { createFlowEndpoint, type FlowEndpointOptions, type ReceivedFlowBatch } from './flow-endpoint.ts'

const PAYLOAD = Uint8Array.of(1, 2, 3)

/** An endpoint, and agents that speak to it; `replies` are the ids that each got. */
function start(options: FlowEndpointOptions) {
  const endpoint = createFlowEndpoint(options)
  return (hostId: string) => {
    const replies: string[] = []
    const connection = {
      handshake: { hostId },
      send: ({ namespace, type, uuid }: OutgoingMessage) => void replies.push(`${namespace} ${type} ${uuid}`),
    } as unknown as PeerConnection
    const handler = endpoint.accept(connection as never) as ConnectionHandler
    const say = (message: Partial<Message>) =>
      handler.onMessage!({ namespace: FLOW_NAMESPACE, uuid: 'u', status: 200, body: null, ...message } as Message)
    return { replies, say, frame: (bytes: Uint8Array) => handler.onFrame!(bytes) }
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

it('a batch is acknowledged by its id when it was taken, and not before', async () => {
  const batches: ReceivedFlowBatch[] = []
  let takeIt = () => {}
  const agent = start({
    onBatch(batch) {
      batches.push(batch)
      return new Promise((resolve) => {
        takeIt = resolve
      })
    },
  })('alpha')
  agent.say({ type: 'Batch', uuid: 'b1', bytes: PAYLOAD })
  await settled()
  expect(agent.replies).toEqual([])
  takeIt()
  await settled()
  expect([batches, agent.replies]).toEqual([
    [{ hostId: 'alpha', id: 'b1', payload: PAYLOAD }],
    [`${FLOW_NAMESPACE} BatchReply b1`],
  ])
})

it('a batch that is refused is not acknowledged, so that it comes again', async () => {
  const agent = start({ onBatch: () => Promise.reject(new Error('full')) })('alpha')
  agent.say({ type: 'Batch', uuid: 'b1', bytes: PAYLOAD })
  await settled()
  expect(agent.replies).toEqual([])
})

it('what an original agent sends is taken and not answered; what is no batch is left alone', async () => {
  const batches: ReceivedFlowBatch[] = []
  const agent = start({ onBatch: (batch) => void batches.push(batch) })('alpha')
  agent.frame(PAYLOAD)
  agent.say({ type: 'Batch', uuid: 'b1' })
  agent.say({ type: 'Batch', uuid: 'b2', bytes: PAYLOAD, namespace: 'Graph' })
  agent.say({ type: 'Nothing', uuid: 'b3', bytes: PAYLOAD })
  await settled()
  expect([batches, agent.replies]).toEqual([[{ hostId: 'alpha', payload: PAYLOAD }], []])
})

it('a loss is told once, however often it comes, and acknowledged each time', () => {
  const losses: unknown[] = []
  const connect = start({ onBatch() {}, onLoss: (loss) => losses.push(loss) })
  const [alpha, beta] = [connect('alpha'), connect('beta')]
  const lost = (uuid: string, Flows: number) => ({ type: 'Lost', uuid, body: { Flows, From: 1_000, To: 2_000 } })
  alpha.say(lost('l1', 5))
  alpha.say(lost('l1', 5))
  beta.say(lost('l1', 6))
  alpha.say(lost('l2', 7))
  beta.say({ type: 'Lost', uuid: 'l3', body: { Flows: 'many' } })
  expect(losses).toEqual([
    { host: 'alpha', flows: 5, fromMs: 1_000, toMs: 2_000 },
    { host: 'beta', flows: 6, fromMs: 1_000, toMs: 2_000 },
    { host: 'alpha', flows: 7, fromMs: 1_000, toMs: 2_000 },
  ])
  expect([alpha.replies, beta.replies].map((replies) => replies.map((reply) => reply.split(' ')[2]))).toEqual([
    ['l1', 'l1', 'l2'],
    ['l1'],
  ])
})

it('of a flood of agents the losses of the last ones are remembered', () => {
  const hosts: string[] = []
  const connect = start({ onBatch() {}, onLoss: ({ host }) => hosts.push(host) })
  const tell = (host: string) => connect(host).say({ type: 'Lost', uuid: 'l1', body: { Flows: 1, From: 1_000, To: 2_000 } })
  for (let agent = 0; agent <= 4_096; agent++) tell(`a${agent}`)
  hosts.splice(0)
  for (const agent of [4_096, 1, 0]) tell(`a${agent}`)
  expect(hosts).toEqual(['a0'])
})
