import { memo, useId } from 'react'
import { useI18n } from '../../../i18n/i18n'
import { words, type WordKey } from '../../../i18n/words'
import { clip, type Interval } from '../../../lib/player/intervals'
import type { Recorded } from '../gateway'
import { xOf } from './timeline'
import classes from './Timeline.module.css'

/** Words are written into a gap only where they fit. */
const WORDS_FROM_PX = 110
const MIN_PX = 1.5

/** The cause of a gap in a few words; the server may know causes that this page does not. */
export function causeWords(cause: string | null | undefined): WordKey {
  const key = `video.gap.cause.${cause ?? 'unknown'}`
  return key in words ? (key as WordKey) : 'video.gap.cause.unknown'
}

/** Time that was never meant to be there is no loss, and not drawn as one. */
export function isByRule(cause: string | null): boolean {
  return cause === 'policy'
}

interface BandProps {
  view: Interval
  widthPx: number
  topPx: number
  heightPx: number
}

function box(one: Interval, { view, widthPx, topPx, heightPx }: BandProps) {
  const x = xOf(one.from, view, widthPx)
  return { x, y: topPx, width: Math.max(MIN_PX, xOf(one.to, view, widthPx) - x), height: heightPx }
}

/** What is recorded (solid; with a bar where it was filled in later) and what is missing (hatched, with its cause in words where they fit). */
export const TimelineBands = memo(function TimelineBands({ data, ...place }: BandProps & { data: Recorded }) {
  const { t } = useI18n()
  const hatch = useId()
  const missing = data.missing.filter((gap) => gap.to > place.view.from && gap.from < place.view.to)
  return (
    <g>
      <defs>
        {(['lost', 'policy'] as const).map((kind) => (
          <pattern key={kind} id={`${hatch}-${kind}`} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="7" height="7" className={classes['gapGround']} data-kind={kind} />
            <rect width="2.500" height="7" className={classes['gapLine']} data-kind={kind} />
          </pattern>
        ))}
      </defs>
      {clip(data.recorded, place.view).map((span) => (
        <rect key={span.from} {...box(span, place)} className={classes['recorded']} />
      ))}
      {clip(data.recovered, place.view).map((span) => (
        <rect key={span.from} {...box(span, place)} className={classes['recovered']} />
      ))}
      {missing.map((gap) => {
        const shown = { from: Math.max(gap.from, place.view.from), to: Math.min(gap.to, place.view.to) }
        const at = box(shown, place)
        const kind = isByRule(gap.cause) ? 'policy' : 'lost'
        return (
          <g key={gap.from}>
            <rect {...at} fill={`url(#${hatch}-${kind})`} className={classes['gap']} data-kind={kind} />
            {at.width < WORDS_FROM_PX ? null : (
              <foreignObject {...at}>
                <div className={classes['gapWords']} dir="auto">
                  <span>{t(causeWords(gap.cause))}</span>
                </div>
              </foreignObject>
            )}
          </g>
        )
      })}
    </g>
  )
})
