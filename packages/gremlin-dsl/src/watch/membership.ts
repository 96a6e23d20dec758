/** Which queries have to hear of an element because it is among their rows. An element of one query costs one entry. */
export class Members<T> {
  private readonly byId = new Map<string, T | Set<T>>()

  add(id: string, target: T): void {
    const known = this.byId.get(id)
    if (known === undefined) this.byId.set(id, target)
    else if (known instanceof Set) known.add(target)
    else if (known !== target) this.byId.set(id, new Set([known, target]))
  }

  delete(id: string, target: T): void {
    const known = this.byId.get(id)
    if (known === target) this.byId.delete(id)
    else if (known instanceof Set) {
      known.delete(target)
      if (known.size === 0) this.byId.delete(id)
    }
  }

  forEach(id: string, visit: (target: T) => void): void {
    const known = this.byId.get(id)
    if (known === undefined) return
    if (known instanceof Set) for (const target of known) visit(target)
    else visit(known)
  }

  get size(): number {
    return this.byId.size
  }
}
