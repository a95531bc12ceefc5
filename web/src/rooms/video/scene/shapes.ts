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

export interface Placed {
  shape: Shape
  text: string
  /** Where the text begins, or ends where `isRight`; the baseline. */
  x: number
  y: number
  isRight: boolean
}

/** Share of its size that a letter is wide, about. */
const LETTER = 0.58
/** A name that finds no free place within these many lines stays where it is. */
const MOST_LINES = 6

/** Names beside their shapes without covering each other: what a rule watches first, the rest gives way upwards. */
export function placeLabels(shapes: readonly Shape[], fontPx: number, widthPx: number): Placed[] {
  const boxes: { from: number; to: number; y: number }[] = []
  return [...shapes].sort((one, other) => (one.priority ?? 9) - (other.priority ?? 9)).map((shape) => {
    const text = shape.rules.length === 0 ? shape.name : shape.rules.join(' · ')
    const [left, top] = labelAt(shape.points)
    const isRight = left > widthPx * 0.6
    const x = Math.min(Math.max(left, fontPx * 0.5), widthPx - fontPx * 0.5)
    const long = text.length * fontPx * LETTER
    const box = { from: isRight ? x - long : x, to: isRight ? x : x + long, y: Math.max(top - fontPx * 0.4, fontPx * 1.2) }
    const isCovered = (): boolean => boxes.some((other) => Math.abs(other.y - box.y) < fontPx && other.from < box.to && box.from < other.to)
    const first = box.y
    for (let line = 0; line < MOST_LINES && isCovered(); line += 1) box.y -= fontPx * 1.1
    if (box.y < fontPx) box.y = first
    boxes.push(box)
    return { shape, text, x, y: box.y, isRight }
  })
}
