import { parentPort } from 'node:worker_threads'
import { SkydiveError } from '@skydive/contracts'
import type { StoreOperations, StoreReply, StoreRequest } from './messages.ts'
import { StorageEngine } from './storage-engine.ts'

// The thread that owns the files: one request after the other, so that answers never see half a batch.

type Requests = { [Operation in keyof StoreOperations]: StoreRequest<Operation> }[keyof StoreOperations]

let engine: StorageEngine | undefined

function opened(): StorageEngine {
  if (!engine) throw new Error('the store is not open')
  return engine
}

function carryOut(message: Requests): unknown {
  const { request } = message
  switch (message.operation) {
    case 'open':
      engine = new StorageEngine(message.request)
      return undefined
    case 'appendTopology':
      return opened().appendTopology(message.request.changes, message.request.nowMs)
    case 'readTopology':
      return opened().readTopology(message.request)
    case 'selectTopology':
      return opened().selectTopology(message.request.selection, message.request.slice)
    case 'diffTopology':
      return opened().diffTopology(message.request.fromMs, message.request.toMs, message.request.ignoreKeys)
    case 'topologyHistory':
      return opened().topologyHistory(message.request.id, message.request.slice)
    case 'topologyCoverage':
      return opened().topologyCoverage()
    case 'appendFlows':
      return opened().appendFlows(message.request.flows, message.request.nowMs)
    case 'searchFlows':
      return opened().searchFlows(message.request.query, message.request.slice)
    case 'flowMetrics':
      return opened().flowMetrics(message.request.query, message.request.slice)
    case 'rawPackets':
      return opened().rawPackets(message.request.query, message.request.slice)
    case 'getObject':
      return opened().getObject(message.request)
    case 'listObjects':
      return opened().listObjects(message.request)
    case 'writeObject':
      return opened().writeObject(
        message.request.key,
        message.request.value,
        message.request.expiresAtMs,
        message.request.exclusive,
      )
    case 'deleteObject':
      return opened().deleteObject(message.request)
    case 'status':
      return { bytes: opened().bytes() }
    case 'close':
      engine?.close()
      engine = undefined
      return undefined
    default:
      throw new Error(`unknown request ${JSON.stringify(request)}`)
  }
}

async function answer(message: Requests): Promise<void> {
  let reply: StoreReply
  try {
    reply = { number: message.number, reply: await carryOut(message) }
  } catch (error) {
    const code = SkydiveError.isInstance(error) ? error.code : 'ERR_UNAVAILABLE'
    reply = { number: message.number, error: { message: (error as Error).message, code } }
  }
  parentPort?.postMessage(reply)
  if (message.operation === 'close') parentPort?.close()
}

let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (message: Requests) => {
  last = last.then(() => answer(message))
})
