import { InvalidArgumentError } from '@skydive/contracts'
import type { JsonPatch } from '@skydive/protocol'

/**
 * Applies an RFC 6902 patch to a JSON value and answers the new one; the old one is untouched.
 *
 * @throws ERR_INVALID_ARGUMENT naming the operation that does not apply; nothing is changed then.
 */
export function applyJsonPatch(document: unknown, patch: JsonPatch): unknown {
  let root: unknown = structuredClone(document)
  const at = (path: string) => locate(root, path)
  for (const operation of patch) {
    switch (operation.op) {
      case 'add':
        root = put(root, operation.path, needValue(operation), true)
        break
      case 'replace':
        if (operation.path !== '') at(operation.path).read()
        root = put(root, operation.path, needValue(operation), false)
        break
      case 'remove':
        at(operation.path).remove()
        break
      case 'move': {
        const from = needFrom(operation)
        if (operation.path.startsWith(`${from}/`)) throw refused(operation.path, 'is inside the value that is moved')
        const value = at(from).read()
        at(from).remove()
        root = put(root, operation.path, value, true)
        break
      }
      case 'copy':
        root = put(root, operation.path, structuredClone(at(needFrom(operation)).read()), true)
        break
      case 'test':
        if (!equalJson(operation.path === '' ? root : at(operation.path).read(), operation.value)) {
          throw refused(operation.path, 'testing value failed')
        }
        break
    }
  }
  return root
}

/** Whether two JSON values are equal; the order of members does not count. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(
    (key) => Object.hasOwn(b, key) && equalJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  )
}

/** A place in a document: the container and the key or index in it. */
function locate(root: unknown, path: string) {
  const tokens = parsePointer(path)
  const last = tokens.pop()
  if (last === undefined) throw refused(path, 'the whole document cannot be taken')
  let container: unknown = root
  for (const token of tokens) container = child(container, token, path)
  return {
    read: () => child(container, last, path),
    remove() {
      child(container, last, path)
      if (Array.isArray(container)) container.splice(Number(last), 1)
      else delete (container as Record<string, unknown>)[last]
    },
    write(value: unknown, insert: boolean) {
      if (Array.isArray(container)) {
        const index = last === '-' ? container.length : arrayIndex(last, container.length, path)
        container.splice(index, insert ? 0 : 1, value)
      } else if (typeof container === 'object' && container !== null) {
        ;(container as Record<string, unknown>)[last] = value
      } else {
        throw refused(path, 'its parent is no container')
      }
    },
  }
}

function put(root: unknown, path: string, value: unknown, insert: boolean): unknown {
  if (path === '') return value
  locate(root, path).write(value, insert)
  return root
}

function child(container: unknown, token: string, path: string): unknown {
  if (Array.isArray(container)) {
    const index = arrayIndex(token, container.length - 1, path)
    return container[index]
  }
  if (typeof container === 'object' && container !== null && Object.hasOwn(container, token)) {
    return (container as Record<string, unknown>)[token]
  }
  throw refused(path, 'no such member')
}

function arrayIndex(token: string, max: number, path: string): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(token) || Number(token) > max) throw refused(path, `no such index: ${token}`)
  return Number(token)
}

/** RFC 6901; `__proto__` is refused because writing it would not make a member. */
function parsePointer(path: string): string[] {
  if (path !== '' && !path.startsWith('/')) throw refused(path, 'a path begins with /')
  const tokens = path.split('/').slice(1)
  return tokens.map((token) => {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (name === '__proto__') throw refused(path, '"__proto__" is not allowed')
    return name
  })
}

function needValue(operation: JsonPatch[number]): unknown {
  if (operation.value === undefined) throw refused(operation.path, `"${operation.op}" needs a value`)
  return operation.value
}

function needFrom(operation: JsonPatch[number]): string {
  if (operation.from === undefined) throw refused(operation.path, `"${operation.op}" needs "from"`)
  return operation.from
}

function refused(path: string, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`${JSON.stringify(path)}: ${reason}`, { path })
}
