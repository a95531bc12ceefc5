/** Marks for the map, drawn by a canvas from the same shapes as the badges. */
import type { Map as GlMap } from 'maplibre-gl'
import type { CameraState } from '../../../api/wire'
import { shapes } from '../../../ui/StateShape'
import { color } from '../../../ui/theme'

/** Drawn at twice their size on the map, for sharp edges on dense screens. */
const PIXEL_RATIO = 2
const VIEW = 16

export type Draw = (context: CanvasRenderingContext2D) => void

export function image(sizePx: number, draw: Draw): ImageData {
  const edge = sizePx * PIXEL_RATIO
  const canvas = document.createElement('canvas')
  canvas.width = edge
  canvas.height = edge
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('No 2D canvas in this browser')
  context.scale(edge / VIEW, edge / VIEW)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  draw(context)
  return context.getImageData(0, 0, edge, edge)
}

/** A dark rim keeps a mark apart from roads and from its neighbours. */
const stateMark =
  (state: CameraState): Draw =>
  (context) => {
    const { path, mark, filled } = shapes[state]
    const outline = new Path2D(path)
    context.translate(VIEW / 2, VIEW / 2)
    context.scale(0.82, 0.82)
    context.translate(-VIEW / 2, -VIEW / 2)
    context.strokeStyle = color.ground
    context.lineWidth = filled ? 3.4 : 5
    context.stroke(outline)
    context.fillStyle = filled ? color[state] : color.ground
    context.fill(outline)
    if (!filled) {
      context.strokeStyle = color[state]
      context.lineWidth = 2
      context.setLineDash([3, 2.2])
      context.stroke(outline)
      context.setLineDash([])
    }
    if (mark === undefined) return
    context.strokeStyle = color.ground
    context.lineWidth = 2
    context.stroke(new Path2D(mark))
  }

/** Places people know, in one quiet colour: told apart by their sign. */
const placeSigns: Record<'police' | 'hospital' | 'gate', string> = {
  police: 'M8 2.500 12.500 4v4c0 3-2 4.800-4.500 5.700C5.500 12.800 3.500 11 3.500 8V4L8 2.500Z',
  hospital: 'M8 3.500v9M3.500 8h9',
  gate: 'M3.500 13V6c0-2 2-3.500 4.500-3.500S12.500 4 12.500 6v7M3.500 7h9',
}

const placeMark =
  (sign: string): Draw =>
  (context) => {
    context.fillStyle = color.raised
    context.strokeStyle = color.lineStrong
    context.lineWidth = 1
    context.beginPath()
    context.roundRect(0.75, 0.75, 14.5, 14.5, 3.5)
    context.fill()
    context.stroke()
    context.strokeStyle = color.textDim
    context.lineWidth = 1.7
    context.stroke(new Path2D(sign))
  }

export function addImages(map: GlMap): void {
  const options = { pixelRatio: PIXEL_RATIO }
  for (const state of ['live', 'stalled', 'offline', 'unknown'] as const) {
    map.addImage(`state-${state}`, image(22, stateMark(state)), options)
  }
  for (const [kind, sign] of Object.entries(placeSigns)) {
    map.addImage(`place-${kind}`, image(18, placeMark(sign)), options)
  }
}
