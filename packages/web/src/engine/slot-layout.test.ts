import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CELL_HEIGHT, CELL_WIDTH, type Rect, ROOT, SlotLayout } from './slot-layout.ts'

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

describe('SlotLayout', () => {
  test('leaves fill the cells in reading order', () => {
    const layout = new SlotLayout()
    for (const id of ['a', 'b', 'c']) layout.addLeaf(id, ROOT)
    expect(['a', 'b', 'c'].map((id) => layout.rectOf(id))).toEqual([
      { x: 0, y: 0, width: CELL_WIDTH, height: CELL_HEIGHT },
      { x: CELL_WIDTH, y: 0, width: CELL_WIDTH, height: CELL_HEIGHT },
      { x: 2 * CELL_WIDTH, y: 0, width: CELL_WIDTH, height: CELL_HEIGHT },
    ])
  })

  test('an opened container has a title row above its members', () => {
    const layout = new SlotLayout()
    layout.openContainer('host', ROOT, 4)
    layout.addLeaf('eth0', 'host')
    expect([layout.rectOf('host'), layout.rectOf('eth0')]).toEqual([
      { x: 0, y: 0, width: 3 * CELL_WIDTH, height: 3 * CELL_HEIGHT },
      { x: 0, y: CELL_HEIGHT, width: CELL_WIDTH, height: CELL_HEIGHT },
    ])
  })

  test('a container that can grow in place does not move', () => {
    const layout = new SlotLayout()
    layout.openContainer('host', ROOT, 4)
    const before = layout.rectOf('host')!
    for (let i = 0; i < 40; i++) layout.addLeaf(`eth${i}`, 'host')
    const after = layout.rectOf('host')!
    expect({ x: after.x, y: after.y }).toEqual({ x: before.x, y: before.y })
  })

  test('a container of thousands gets wide as well as high, without moving a member', () => {
    const layout = new SlotLayout()
    layout.openContainer('host', ROOT, 4)
    layout.addLeaf('first', 'host')
    layout.addLeaf('second', 'host')
    const before = [layout.rectOf('first'), layout.rectOf('second')]
    for (let i = 0; i < 2_000; i++) layout.addLeaf(`eth${i}`, 'host')
    const { width, height } = layout.rectOf('host')!
    expect([width / height > 0.6, width / height < 1.8]).toEqual([true, true])
    expect([layout.rectOf('first'), layout.rectOf('second')]).toEqual(before)
  })

  test('what goes and comes back has its old place, when that is still free; a container brings its members back to theirs', () => {
    const layout = new SlotLayout()
    layout.openContainer('host', ROOT, 4)
    layout.openContainer('ns', 'host', 4)
    for (const id of ['a', 'b', 'c']) layout.addLeaf(id, 'ns')
    layout.addLeaf('x', 'host')
    const before = ['host', 'ns', 'a', 'b', 'c', 'x'].map((id) => layout.rectOf(id))
    layout.remove('host')
    layout.addLeaf('other', ROOT)
    layout.remove('other')
    layout.openContainer('host', ROOT, 1)
    layout.addLeaf('x', 'host')
    layout.openContainer('ns', 'host', 1)
    for (const id of ['c', 'a', 'b']) layout.addLeaf(id, 'ns')
    expect(['host', 'ns', 'a', 'b', 'c', 'x'].map((id) => layout.rectOf(id))).toEqual(before)
    layout.remove('a')
    layout.addLeaf('thief', 'ns')
    layout.addLeaf('a', 'ns')
    expect([layout.rectOf('thief'), layout.rectOf('a')]).toEqual([before[2], { ...before[2]!, y: before[2]!.y + CELL_HEIGHT }])
  })

  test('a saved layout puts everything back', () => {
    const layout = new SlotLayout()
    layout.openContainer('host', ROOT, 4)
    for (const id of ['a', 'b', 'c']) layout.addLeaf(id, 'host')
    const again = new SlotLayout(JSON.parse(JSON.stringify(layout.save())))
    expect(['host', 'a', 'b', 'c'].map((id) => again.rectOf(id))).toEqual(['host', 'a', 'b', 'c'].map((id) => layout.rectOf(id)))
  })

  test('siblings never overlap, and nothing moves but a container that outgrew its region, with what is inside it', () => {
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ op: fc.constant('leaf' as const), id: fc.nat(200), host: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('remove' as const), id: fc.nat(200), host: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('open' as const), id: fc.nat(5), host: fc.nat(5) }) },
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const layout = new SlotLayout()
        const owner = new Map<string, string>()
        for (const { op, id, host } of operations) {
          const before = new Map([...owner.keys()].map((known) => [known, layout.rectOf(known)!]))
          let touched = ''
          if (op === 'open') {
            touched = `h${id}`
            if (!owner.has(touched)) {
              layout.openContainer(touched, ROOT, 6)
              owner.set(touched, ROOT)
            }
          } else if (op === 'leaf') {
            const container = owner.has(`h${host}`) ? `h${host}` : ROOT
            touched = `n${id}`
            layout.addLeaf(touched, container)
            owner.set(touched, container)
          } else {
            layout.remove(`n${id}`)
            owner.delete(`n${id}`)
          }
          const grown = owner.get(touched)
          for (const [known, rect] of before) {
            if (!owner.has(known) || known === touched || known === grown || (grown !== ROOT && owner.get(known) === grown))
              continue
            const now = layout.rectOf(known)!
            expect([known, now.x, now.y]).toEqual([known, rect.x, rect.y])
          }
        }
        const ids = [...owner.keys()]
        for (const a of ids) {
          for (const b of ids) {
            if (a < b && owner.get(a) === owner.get(b)) expect(overlap(layout.rectOf(a)!, layout.rectOf(b)!)).toBe(false)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
