import { Button } from '@mantine/core'
import { useI18n } from '../../../i18n/i18n'
import type { WordKey } from '../../../i18n/words'
import type { LiveCause, LiveState, Verdict } from '../../../lib/player/liveModel'
import { duration } from '../../../lib/time'
import { causePhrase } from '../../../ui/cause'
import { Ltr } from '../../../ui/Ltr'
import { useNow, useTime } from '../../../ui/useTime'
import { Glyph, type GlyphName } from '../Glyph'
import classes from './Tile.module.css'

const GLYPHS: Record<LiveState, GlyphName> = {
  paused: 'stalled', connecting: 'wait', live: 'now', stalled: 'stalled', offline: 'offline', denied: 'lock', failed: 'offline',
}

function causeKey(cause: LiveCause | null, known: string | null): WordKey | null {
  if (cause === 'camera' || cause === 'silence') return causePhrase(known) ?? `video.cause.${cause}`
  return cause === null ? null : `video.cause.${cause}`
}

function Since({ since }: { since: number }) {
  const { t } = useI18n()
  const time = useTime()
  const now = useNow()
  return (
    <p className={classes['since']}>
      {t('video.since', { time: time.seen(since) })} · <Ltr>{duration((now - since) / 1000)}</Ltr>
    </p>
  )
}

interface TileNoticeProps {
  verdict: Verdict
  /** Why the registry says this camera is not live, where it knows better than the stream. */
  knownCause: string | null
  onRetry: () => void
}

/** Whatever is not live says so in words over the dimmed picture, with its cause and for how long. */
export function TileNotice({ verdict, knownCause, onRetry }: TileNoticeProps) {
  const { t } = useI18n()
  const { state, cause, since, reason } = verdict
  if (state === 'live' || state === 'paused') return null
  const why = causeKey(cause, knownCause)
  const mayRetry = state === 'denied' || state === 'failed'
  return (
    <div className={classes['notice']} data-state={state} role="status">
      <Glyph name={GLYPHS[state]} size={28} />
      <p className={classes['word']}>{t(`video.state.${state}`)}</p>
      {reason !== null ? (
        <p className={classes['why']} dir="auto">{reason}</p>
      ) : why === null ? null : (
        <p className={classes['why']}>{t(why)}</p>
      )}
      {since === null ? null : <Since since={since} />}
      {mayRetry ? (
        <Button size="compact-sm" variant="default" onClick={onRetry}>
          {t('shell.retry')}
        </Button>
      ) : null}
    </div>
  )
}
