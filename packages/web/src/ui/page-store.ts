import { SceneStore } from '../canvas/scene-store.ts'
import type { ConnectionState, ElementDetails, EngineCommand, EngineUpdate, MetricPoint, SearchHit } from '../engine/messages.ts'
import type { SceneLine } from '../engine/scene.ts'
import type { SavedLayout } from '../engine/slot-layout.ts'
import { TreeRows } from './tree-rows.ts'

const LAYOUT_KEY = 'skydive.layout'
const SAVE_EVERY_MS = 10_000

/** What the parts of the page show. Replaced, never changed, so that React sees what is new. */
export interface PageState {
  readonly connection: ConnectionState
  /** Since when what is shown may be out of date. */
  readonly lostAtMs: number | undefined
  readonly nodes: number
  readonly edges: number
  readonly selected: string | undefined
  readonly hovered: string | undefined
  readonly details: ElementDetails | undefined
  readonly metrics: readonly MetricPoint[]
  readonly highlighted: ReadonlySet<string>
  /** The lines of the selected element. */
  readonly lines: readonly SceneLine[]
  readonly hoverLines: readonly SceneLine[]
  /** The way of the followed flow. */
  readonly way: readonly SceneLine[]
  readonly hits: readonly SearchHit[]
  readonly searchText: string
  /** `undefined`: live. */
  readonly atMs: number | undefined
  readonly timeError: string | undefined
  /** Metadata keys seen so far, for completion. */
  readonly keys: readonly string[]
  /** Grows with every change of the scene, for those who show it as text. */
  readonly sceneVersion: number
}

const INITIAL: PageState = {
  connection: { state: 'connecting', detail: '' },
  lostAtMs: undefined,
  nodes: 0,
  edges: 0,
  selected: undefined,
  hovered: undefined,
  details: undefined,
  metrics: [],
  highlighted: new Set(),
  lines: [],
  hoverLines: [],
  way: [],
  hits: [],
  searchText: '',
  atMs: undefined,
  timeError: undefined,
  keys: [],
  sceneVersion: 0,
}

/** The one place where the page keeps what it knows: fed by the engine's worker, read by the components. */
export class PageStore {
  readonly scene = new SceneStore()
  readonly tree = new TreeRows(this.scene.elements)
  state: PageState = INITIAL
  /** Called when the canvas must be drawn again. */
  onDraw: () => void = () => {}
  /** Called when elements shall be brought into sight: `least` moves the view only when they are outside of it. */
  onFocus: (ids: readonly string[], how: 'least' | 'readable') => void = () => {}
  /** Called after a whole scene came, when the view was never moved. */
  onWhole: () => void = () => {}
  readonly #worker: Worker
  readonly #listeners = new Set<() => void>()
  #textUpdate: ReturnType<typeof setTimeout> | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    worker.onmessage = (event: MessageEvent<EngineUpdate>) => this.#take(event.data)
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  getState = (): PageState => this.state

  send(command: EngineCommand): void {
    this.#worker.postMessage(command)
  }

  /** Follows the analyzer that served the page. Answers how to stop it. */
  connect(token: string | undefined): () => void {
    this.send({ kind: 'connect', url: location.origin, token, layout: readLayout() })
    const save = (): void => this.send({ kind: 'save-layout' })
    addEventListener('pagehide', save)
    const timer = setInterval(save, SAVE_EVERY_MS)
    return () => {
      removeEventListener('pagehide', save)
      clearInterval(timer)
    }
  }

  select(id: string | undefined): void {
    this.#set({ selected: id, ...(id === undefined && { details: undefined, metrics: [], lines: [] }) })
    this.send({ kind: 'select', id })
    this.onDraw()
  }

  hover(id: string | undefined): void {
    if (this.state.hovered === id) return
    this.#set({ hovered: id, hoverLines: [] })
    this.send({ kind: 'hover', id })
    this.onDraw()
  }

  setOpen(id: string, open: boolean): void {
    this.send({ kind: 'set-open', id, open })
  }

  #set(change: Partial<PageState>): void {
    this.state = { ...this.state, ...change }
    for (const listener of this.#listeners) listener()
  }

  #take(update: EngineUpdate): void {
    switch (update.kind) {
      case 'scene':
        this.scene.apply(update.delta)
        this.tree.apply(update.delta)
        this.onDraw()
        if (update.delta.whole) this.onWhole()
        this.#scheduleText()
        break
      case 'connection':
        this.#set({
          connection: update.connection,
          lostAtMs: update.connection.state === 'lost' ? (this.state.lostAtMs ?? Date.now()) : undefined,
        })
        break
      case 'counts':
        this.#set({ nodes: update.nodes, edges: update.edges })
        break
      case 'details':
        this.#set({ details: update.details, metrics: update.metrics })
        break
      case 'emphasis':
        this.#set({ highlighted: new Set(update.highlighted), lines: update.lines, way: update.way })
        this.onDraw()
        if (update.focus.length > 0) this.onFocus(update.focus, 'readable')
        break
      case 'hover':
        if (update.id !== this.state.hovered) break
        this.#set({ hoverLines: update.lines })
        this.onDraw()
        break
      case 'search':
        this.#set({ hits: update.hits, searchText: update.text })
        break
      case 'time':
        this.#set({ atMs: update.atMs, timeError: update.error })
        break
      case 'keys':
        this.#set({ keys: update.keys })
        break
      case 'layout':
        writeLayout(update.layout)
        break
    }
  }

  /** The tree beside the canvas need not follow every frame. */
  #scheduleText(): void {
    this.#textUpdate ??= setTimeout(() => {
      this.#textUpdate = undefined
      this.#set({ sceneVersion: this.state.sceneVersion + 1 })
    }, 150)
  }
}

function readLayout(): SavedLayout | undefined {
  try {
    const text = localStorage.getItem(LAYOUT_KEY)
    return text === null ? undefined : (JSON.parse(text) as SavedLayout)
  } catch {
    // A layout that can't be read is no loss: elements find new places.
    return undefined
  }
}

function writeLayout(layout: SavedLayout): void {
  try {
    localStorage.setItem(LAYOUT_KEY, JSON.stringify(layout))
  } catch {
    // The browser's storage is full or switched off; places are then kept until the page is closed.
  }
}
