// Jest's environment of Node with globals at their own price. Jest makes a context that asks a proxy for every global name: `Math`, `Object` or
// `Error` cost 200 ns each time there, and 1 ns in a context whose global object is its own. Suites that loop took up to half their time for it.
import { constants, createContext } from 'node:vm'
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node'

/** What jest takes from the outside, although a context has its own: bytes of Node and of the tests are of the same classes. */
const SHARED = ['Buffer', 'ArrayBuffer', 'Uint8Array']

export default class extends NodeEnvironment {
  constructor(config, context) {
    super(config, context)
    const proxied = this.global
    const global = createContext(constants.DONT_CONTEXTIFY)
    const own = new Set(Reflect.ownKeys(global))
    for (const name of Reflect.ownKeys(proxied)) {
      if (own.has(name) && !SHARED.includes(name)) continue
      Object.defineProperty(global, name, ofContext(global, name, Object.getOwnPropertyDescriptor(proxied, name)))
    }
    global.global = global
    for (const name of ['dispose', 'asyncDispose']) {
      if (!(name in global.Symbol)) Object.defineProperty(global.Symbol, name, { value: proxied.Symbol[name] })
    }
    global.Error.stackTraceLimit = proxied.Error.stackTraceLimit
    const { projectConfig } = config
    this.context = global
    this.global = global
    this.moduleMocker = new this.moduleMocker.constructor(global)
    this.fakeTimersModern = new this.fakeTimersModern.constructor({ config: projectConfig, global })
    const timerConfig = { idToRef: (id) => ({ id, ref: () => id, unref: () => id }), refToId: (timer) => timer?.id }
    this.fakeTimers = new this.fakeTimers.constructor({
      config: projectConfig,
      global,
      moduleMocker: this.moduleMocker,
      timerConfig,
    })
  }
}

/** What Node makes when it is first asked for stays so, but is made once. */
function ofContext(global, name, descriptor) {
  if ('value' in descriptor || !descriptor.configurable) return descriptor
  const settle = (value) =>
    Object.defineProperty(global, name, { configurable: true, enumerable: descriptor.enumerable, value, writable: true })
  return {
    configurable: true,
    enumerable: descriptor.enumerable,
    get() {
      const value = globalThis[name]
      settle(value)
      return value
    },
    set: settle,
  }
}
