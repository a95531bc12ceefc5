import classes from './Still.module.css'

/** Shares of the picture: left, top, width, height. */
export type ShareBox = readonly [number, number, number, number]

interface BoxOutlineProps {
  box: ShareBox
  /** Size of the picture itself, so that the outline lies where the picture is shown with bars beside it. */
  size: { width: number; height: number }
  label?: string | undefined
  /** For a small picture. */
  isThin?: boolean
}

/** Dark halo and light line, as thick on the screen as the text beside them wants. */
const STROKES = { usual: ['0.375rem', '0.16rem'], thin: ['0.22rem', '0.1rem'] } as const
/** The outline stands off the thing by this share of the picture, so that it hides nothing of it. */
const OFF = 0.006

/** An outline over a picture that is shown whole (object-fit: contain): light on a dark halo, seen on any ground. */
export function BoxOutline({ box, size: { width, height }, label, isThin = false }: BoxOutlineProps) {
  const [halo, line] = STROKES[isThin ? 'thin' : 'usual']
  const [left, top] = [Math.max(0, box[0] - OFF) * width, Math.max(0, box[1] - OFF) * height]
  const [right, bottom] = [Math.min(1, box[0] + box[2] + OFF) * width, Math.min(1, box[1] + box[3] + OFF) * height]
  const rect = { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top), rx: width * 0.004 }
  const font = height * 0.042
  const isBelow = top < font * 1.6
  return (
    <svg className={classes['outline']} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true" data-testid="box">
      <rect {...rect} fill="none" stroke="rgb(4 8 13 / 65%)" style={{ strokeWidth: halo }} vectorEffect="non-scaling-stroke" />
      <rect {...rect} fill="none" stroke="currentColor" style={{ strokeWidth: line }} vectorEffect="non-scaling-stroke" />
      {label === undefined ? null : (
        <text x={left} y={isBelow ? bottom + font * 1.25 : top - font * 0.45} fontSize={font} fontWeight={600} fill="currentColor" stroke="rgb(4 8 13 / 85%)" strokeWidth={font * 0.22} paintOrder="stroke" strokeLinejoin="round" direction="ltr">
          {label}
        </text>
      )}
    </svg>
  )
}
