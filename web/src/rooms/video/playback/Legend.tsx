import { useI18n } from '../../../i18n/i18n'
import { clip, totalMs, type Interval } from '../../../lib/player/intervals'
import { duration } from '../../../lib/time'
import { Ltr } from '../../../ui/Ltr'
import type { Recorded } from '../gateway'
import { causeWords, isByRule } from './TimelineBands'
import classes from './Playback.module.css'

/** What the timeline's signs mean, with the sums of what is in sight: missing time is counted and given its cause. */
export function Legend({ data, sight, now }: { data: Recorded; sight: Interval; now: number }) {
  const { t } = useI18n()
  const past = { from: sight.from, to: Math.min(sight.to, now) }
  const recordedS = totalMs(clip(data.recorded, past)) / 1000
  const causes = new Map<string, { seconds: number; isRule: boolean }>()
  for (const gap of data.missing) {
    const word = t(causeWords(gap.cause))
    const seconds = totalMs(clip([gap], past)) / 1000 + (causes.get(word)?.seconds ?? 0)
    if (seconds > 0) causes.set(word, { seconds, isRule: isByRule(gap.cause) })
  }
  return (
    <p className={classes['legend']}>
      <span>
        <i className={classes['swatch']} /> {t('video.legend.recorded')} <Ltr>{duration(recordedS)}</Ltr>
      </span>
      {(['edge', 'card'] as const).map((source) => {
        const seconds = totalMs(clip(data.recovered.filter((one) => one.source === source), past)) / 1000
        return seconds === 0 ? null : (
          <span key={source}>
            <i className={classes['swatch']} data-kind="recovered" /> {t(`video.legend.${source}`)} <Ltr>{duration(seconds)}</Ltr>
          </span>
        )
      })}
      {[...causes].map(([word, { seconds, isRule }]) => (
        <span key={word}>
          <i className={classes['swatch']} data-kind={isRule ? 'policy' : 'missing'} /> {isRule ? t('video.legend.rule') : t('video.legend.missing', { cause: word })} <Ltr>{duration(seconds)}</Ltr>
        </span>
      ))}
      <span>
        <i className={classes['swatch']} data-kind="none" /> {t('video.legend.none')}
      </span>
    </p>
  )
}
