import { useScene } from '../../../api/scene'
import { useI18n } from '../../../i18n/i18n'
import { forwardArrow, placeLabels, shapesOf, type Shape } from './shapes'
import classes from './Scene.module.css'

/** Lengths are shares of the picture's height: names of this size are read on a large picture and on a quarter of the wall. */
const FONT = 0.026
const ARROW = 0.07

function Drawn({ shape, heightPx }: { shape: Shape; heightPx: number }) {
  const points = shape.points.map((point) => point.join(',')).join(' ')
  const arrow = shape.isZone ? null : forwardArrow(shape.points, heightPx * ARROW)
  const Line = shape.isZone ? 'polygon' : 'polyline'
  return (
    <g data-priority={shape.priority ?? undefined} data-zone={shape.isZone || undefined}>
      <Line points={points} className={classes['halo']} />
      <Line points={points} className={classes['line']} />
      {arrow === null ? null : <line x1={arrow.from[0]} y1={arrow.from[1]} x2={arrow.to[0]} y2={arrow.to[1]} className={classes['line']} markerEnd="url(#sc-forward)" />}
    </g>
  )
}

/** What is watched on a camera's picture, over the picture itself: lines with their forward side, zones, rules. */
export function SceneOverlay({ camera }: { camera: string }) {
  const { t, pick } = useI18n()
  const { data, isError } = useScene(camera)
  if (data === undefined) return isError ? <p className={classes['none']}>{t('scene.failed')}</p> : null
  const { width_px: widthPx, height_px: heightPx, scene } = data
  const shapes = shapesOf(scene, ({ name, title, title_ur }) => pick({ name: title === '' ? name : title, name_ur: title_ur }))
  const font = heightPx * FONT
  if (shapes.length === 0) return <p className={classes['none']}>{t('scene.none')}</p>
  return (
    <svg className={classes['overlay']} viewBox={`0 0 ${widthPx} ${heightPx}`} preserveAspectRatio="xMidYMid meet" role="img" aria-label={t('scene.label', { names: shapes.map((shape) => shape.name).join(', ') })} data-testid="scene">
      <defs>
        <marker id="sc-forward" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
          <path d="M1 1l8 4-8 4z" fill="context-stroke" />
        </marker>
      </defs>
      {shapes.map((shape) => <Drawn key={`${shape.isZone} ${shape.name}`} shape={shape} heightPx={heightPx} />)}
      {placeLabels(shapes, font, widthPx).map(({ shape, text, x, y, isRight }) => (
        <g key={`${shape.isZone} ${shape.name}`} data-priority={shape.priority ?? undefined}>
          <text className={classes['label']} x={x} y={y} fontSize={font} strokeWidth={font * 0.22} textAnchor={isRight ? 'end' : 'start'} direction="ltr">{text}</text>
        </g>
      ))}
    </svg>
  )
}
