/** A scene's lines, zones and arrows as shapes in the pixels of the picture it was drawn on; pure. */
import type { CameraScene } from '../../../api/wire'

type Corner = readonly [number, number]

/** How urgent a rule on it is; null for a line that only counts. */
export interface Shape {
  name: string
  points: readonly Corner[]
  isZone: boolean
  priority: number | null
  /** Names of the rules that watch it. */
  rules: readonly string[]
}

export interface LineArrow {
  from: Corner
  to: Corner
}

export type SceneWords = (rule: { name: string; title: string; title_ur: string }) => string

type Rule = CameraScene['scene']['rules'][number]

const watches = (rule: Rule, kind: 'line' | 'zone', name: string): boolean => kind in rule && (rule as unknown as Record<string, unknown>)[kind] === name

/** Every line and zone with the rules that watch it; the most urgent rule gives it its colour. */
export function shapesOf({ lines, zones, rules }: CameraScene['scene'], say: SceneWords): Shape[] {
  const make = (kind: 'line' | 'zone', { name, points }: { name: string; points: readonly Corner[] }): Shape => {
    const on = rules.filter((rule) => watches(rule, kind, name))
    return { name, points, isZone: kind === 'zone', priority: on.length === 0 ? null : Math.min(...on.map((rule) => rule.priority)), rules: on.map(say) }
  }
  return [...zones.map((zone) => make('zone', zone)), ...lines.map((line) => make('line', line))]
}

/**
 * The short arrow that says which way over a line is forward: at a right angle from its middle, to the side where
 * (x2-x1)*(py-y1)-(y2-y1)*(px-x1) is positive.
 */
export function forwardArrow([a, b]: readonly Corner[], lengthPx: number): LineArrow | null {
  if (a === undefined || b === undefined) return null
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const long = Math.hypot(dx, dy)
  if (long === 0) return null
  const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
  return { from: [x, y], to: [x - (dy / long) * lengthPx, y + (dx / long) * lengthPx] }
}

/** The highest point of a shape, where its name stands. */
export function labelAt(points: readonly Corner[]): Corner {
  return points.reduce<Corner>((best, point) => (point[1] < best[1] ? point : best), points[0] ?? [0, 0])
}
