/** Marks of units and of a place, for any map. */
import type { Map as GlMap } from 'maplibre-gl'
import { color } from '../../../ui/theme'
import { unitSigns, type UnitKind } from '../../../ui/UnitMark'
import { unitImage, type UnitTone } from '../place/marks'
import { image, type Draw } from './images'

const OPTIONS = { pixelRatio: 2 }
const SIZE_PX = 26

const TONES: Record<UnitTone, { ground: string; sign: string; rim: string }> = {
  free: { ground: color.raised, sign: color.text, rim: color.text },
  busy: { ground: color.accentStrong, sign: '#ffffff', rim: '#ffffff' },
  off: { ground: color.raised, sign: color.textDim, rim: color.lineStrong },
}

const unitMark =
  (kind: UnitKind, tone: UnitTone): Draw =>
  (context) => {
    const { ground, sign, rim } = TONES[tone]
    context.fillStyle = ground
    context.strokeStyle = rim
    context.lineWidth = 1
    context.beginPath()
    context.arc(8, 8, 7.2, 0, 2 * Math.PI)
    context.fill()
    context.stroke()
    context.translate(8, 8)
    context.scale(0.62, 0.62)
    context.translate(-8, -8)
    context.strokeStyle = sign
    context.lineWidth = 1.9
    context.stroke(new Path2D(unitSigns[kind]))
  }

/** A pin with its point at the place. */
const pin: Draw = (context) => {
  const shape = new Path2D('M8 15.300C4.500 11.300 2.900 8.700 2.900 6.200a5.100 5.100 0 1 1 10.200 0c0 2.500-1.600 5.100-5.100 9.100Z')
  context.fillStyle = color.text
  context.strokeStyle = color.ground
  context.lineWidth = 1.2
  context.fill(shape)
  context.stroke(shape)
  context.fillStyle = color.ground
  context.fill(new Path2D('M8 4a2.200 2.200 0 1 1 0 4.400A2.200 2.200 0 0 1 8 4Z'))
}

export function addUnitImages(map: GlMap): void {
  for (const kind of Object.keys(unitSigns) as UnitKind[]) {
    for (const tone of ['free', 'busy', 'off'] as const) map.addImage(unitImage(kind, tone), image(SIZE_PX, unitMark(kind, tone)), OPTIONS)
  }
}

export function addPin(map: GlMap): void {
  map.addImage('pin', image(34, pin), OPTIONS)
}
