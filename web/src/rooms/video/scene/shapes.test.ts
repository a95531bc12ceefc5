import { describe, expect, it } from 'vitest'
import type { CameraScene } from '../../../api/wire'
import { forwardArrow, labelAt, placeLabels, shapesOf, type Shape } from './shapes'

const scene = {
  lines: [{ name: 'gate', points: [[0, 100], [200, 100]] }, { name: 'count', points: [[0, 0], [1, 1]] }],
  zones: [{ name: 'yard', points: [[0, 0], [10, 0], [10, 10]] }],
  rules: [
    { kind: 'line_crossing', name: 'in', title: 'Drove in', title_ur: '', priority: 3, classes: [], line: 'gate', direction: 'both' },
    { kind: 'wrong_way', name: 'wrong', title: '', title_ur: '', priority: 1, classes: [], line: 'gate', direction: 'forward', zone: null, arrow: null },
  ],
} as CameraScene['scene']

describe('shapesOf', () => {
  it('names the rules of each line and zone and takes the most urgent', () => {
    const shapes = shapesOf(scene, ({ name, title }) => title || name)
    expect(shapes.map(({ name, isZone, priority, rules }) => [name, isZone, priority, rules])).toEqual([
      ['yard', true, null, []],
      ['gate', false, 1, ['Drove in', 'wrong']],
      ['count', false, null, []],
    ])
  })
})

describe('forwardArrow', () => {
  it('points to the side that the counting calls forward', () => {
    const [a, b] = [[10, 100], [210, 40]] as const
    const arrow = forwardArrow([a, b], 30)
    const [px, py] = arrow?.to ?? [0, 0]
    expect((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])).toBeGreaterThan(0)
    expect(Math.hypot(px - (arrow?.from[0] ?? 0), py - (arrow?.from[1] ?? 0))).toBeCloseTo(30)
  })

  it('is none for a line without a length', () => {
    expect(forwardArrow([[1, 1], [1, 1]], 30)).toBeNull()
  })
})

describe('labelAt', () => {
  it('is the highest corner', () => expect(labelAt([[5, 9], [7, 2], [1, 4]])).toEqual([7, 2]))
})

describe('placeLabels', () => {
  const shape = (name: string, at: [number, number], priority: number | null = null): Shape => ({ name, points: [at], isZone: false, priority, rules: [] })

  it('lets a name that nothing watches give way to one that a rule watches', () => {
    const [ruled, plain] = placeLabels([shape('plain', [100, 200]), shape('ruled', [110, 200], 1)], 20, 1000)
    expect([ruled?.text, plain?.text]).toEqual(['ruled', 'plain'])
    expect((ruled?.y ?? 0) - (plain?.y ?? 0)).toBeGreaterThanOrEqual(20)
  })

  it('leaves names alone that do not meet, and keeps them in the picture', () => {
    const [one, two] = placeLabels([shape('a', [100, 200]), shape('b', [900, 2])], 20, 1000)
    expect(one?.y).toBe(192)
    expect(two?.isRight).toBe(true)
    expect(two?.y).toBeGreaterThanOrEqual(20)
  })
})
