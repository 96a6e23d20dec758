import type { LiveView } from './live-view.ts'

/** The views that somebody may still hold, so that nothing they need is forgotten. Oldest first. */
export class Pins {
  private held: { readonly version: number; readonly view: WeakRef<LiveView> }[] = []
  private newest: LiveView | undefined

  /** The one view of the present version; made when it is first asked for. */
  view(version: number, make: () => LiveView): LiveView {
    if (this.newest?.version === version) return this.newest
    const view = make()
    this.newest = view
    this.held.push({ version, view: new WeakRef(view) })
    return view
  }

  /** The oldest version that a view in use shows; infinity when there is none. Drops what nobody holds any more. */
  oldest(presentVersion: number): number {
    if (this.newest !== undefined && this.newest.version < presentVersion) this.newest = undefined
    this.held = this.held.filter(({ view }) => view.deref() !== undefined)
    return this.held[0]?.version ?? Number.POSITIVE_INFINITY
  }

  get count(): number {
    return this.held.length
  }
}
