import type { GraphEdge, GraphNode } from '@skydive/contracts'
import type { Changes, Net } from './changes.ts'
import type { WatchEntry } from './entry.ts'
import { Members } from './membership.ts'
import type { Element, Membership } from './moves.ts'
import { Router, rootsOfKeys } from './router.ts'
import type { WatchProgram } from './watch-compiler.ts'

/** Leads every change to the queries that it may concern: those that hold the element or its ends, and those whose source may take it in. */
export class ChangeRoutes {
  private readonly nodeRouter = new Router<WatchEntry>()
  private readonly edgeRouter = new Router<WatchEntry>()
  private readonly members = { nodes: new Members<WatchEntry>(), edges: new Members<WatchEntry>() }
  /** Queries to which every node, or every edge, matters. */
  private readonly everyNode = new Set<WatchEntry>()
  private readonly everyEdge = new Set<WatchEntry>()
  private readonly dirty: WatchEntry[] = []
  private marks = 0
  /** The change that is being led. */
  private net: Net<GraphNode> | Net<GraphEdge> | undefined
  private readonly noteNode = (entry: WatchEntry): void => {
    if (this.isNew(entry)) entry.delta!.nodes.push(this.net as Net<GraphNode>)
  }
  private readonly noteEdge = (entry: WatchEntry): void => {
    if (this.isNew(entry)) entry.delta!.edges.push(this.net as Net<GraphEdge>)
  }

  /** Elements that some query holds. */
  get size(): number {
    return this.members.nodes.size + this.members.edges.size
  }

  /** Registers a query before its first result is found; its `remove` takes it out again. */
  add(entry: WatchEntry, program: WatchProgram): Membership {
    const unroute = this.route(entry, program)
    entry.remove = () => {
      unroute()
      this.everyNode.delete(entry)
      this.everyEdge.delete(entry)
      entry.delta!.forEachHeld((kind, id) => this.members[kind].delete(id, entry))
    }
    return this.membershipOf(entry)
  }

  membershipOf(entry: WatchEntry): Membership {
    return {
      joined: (kind, id) => this.members[kind].add(id, entry),
      left: (kind, id) => {
        if (!entry.delta!.holds(kind, id)) this.members[kind].delete(id, entry)
      },
    }
  }

  /** Notes the changes with the queries and answers those that have some. The list is the caller's until the next call. */
  distribute({ nodes, edges }: Changes): readonly WatchEntry[] {
    this.dirty.length = 0
    for (const net of nodes) this.node(net)
    for (const net of edges) this.edge(net)
    return this.dirty
  }

  private route(entry: WatchEntry, program: WatchProgram): () => void {
    if (program.needsEveryEdge) this.everyEdge.add(entry)
    if (program.sourceFilters.length > 0) {
      const router = program.kind === 'nodes' ? this.nodeRouter : this.edgeRouter
      return router.add({ target: entry, roots: rootsOfKeys(program.sourceKeys) }, program.equalities)
    }
    if (program.kind === 'nodes') this.everyNode.add(entry)
    return () => {}
  }

  private node(net: Net<GraphNode>): void {
    this.begin(net)
    this.members.nodes.forEach(net.id, this.noteNode)
    this.nodeRouter.forEach(net as Net<Element>, this.noteNode)
    for (const entry of this.everyNode) this.noteNode(entry)
  }

  private edge(net: Net<GraphEdge>): void {
    this.begin(net)
    this.members.edges.forEach(net.id, this.noteEdge)
    this.edgeRouter.forEach(net as Net<Element>, this.noteEdge)
    for (const entry of this.everyEdge) this.noteEdge(entry)
    this.ends(net.before)
    this.ends(net.after)
  }

  private ends(edge: GraphEdge | undefined): void {
    if (!edge) return
    this.members.nodes.forEach(edge.parent, this.noteEdge)
    this.members.nodes.forEach(edge.child, this.noteEdge)
  }

  private begin(net: Net<GraphNode> | Net<GraphEdge>): void {
    this.marks++
    this.net = net
  }

  /** Whether an entry has not got this change yet. */
  private isNew(entry: WatchEntry): boolean {
    if (entry.mark === this.marks) return false
    entry.mark = this.marks
    if (!entry.dirty) {
      entry.dirty = true
      this.dirty.push(entry)
    }
    return true
  }
}
