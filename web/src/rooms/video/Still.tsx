import { useState } from 'react'
import { useSession } from '../../api/queries'
import { ApiError, LinkError } from '../../api/client'
import { useI18n } from '../../i18n/i18n'
import type { WordKey } from '../../i18n/words'
import { BoxOutline, type ShareBox } from './BoxOutline'
import { Glyph, type GlyphName } from './Glyph'
import { useStill } from './stills'
import classes from './Still.module.css'

export type { ShareBox } from './BoxOutline'

interface StillProps {
  camera: string
  /** Which instant, RFC 3339. */
  at: string
  /** What is seen there, for those who cannot see it. */
  alt: string
  box?: ShareBox | null
  /** Beside the box. */
  label?: string
  /** Pixels to ask for; the place it is given decides how large it is shown. */
  width?: number
  /** In a list: no sentence, only a sign with the sentence as its title. */
  compact?: boolean
}

const SIXTEEN_NINE = { width: 16, height: 9 }

interface Reason {
  glyph: GlyphName
  word: WordKey
  /** The server's own sentence. */
  detail: string | undefined
  mayRetry: boolean
}

function reasonOf(error: Error, hasShift: boolean): Reason {
  const detail = error instanceof ApiError ? error.problem.detail : undefined
  const status = error instanceof ApiError ? error.status : 0
  if (status === 403) return { glyph: 'lock', word: hasShift ? 'still.denied' : 'still.shift', detail, mayRetry: false }
  if (status === 401) return { glyph: 'lock', word: 'video.cause.signed_out', detail: undefined, mayRetry: false }
  if (status === 404) return { glyph: 'offline', word: 'still.nothing', detail, mayRetry: true }
  if (error instanceof LinkError) return { glyph: 'stalled', word: 'video.cause.network', detail: undefined, mayRetry: true }
  return { glyph: 'stalled', word: 'still.failed', detail, mayRetry: true }
}

/** A recorded picture of one instant with what it is about outlined; what keeps it away is said in its place. */
export function Still({ camera, at, alt, box = null, label, width = 640, compact = false }: StillProps) {
  const { t } = useI18n()
  const hasShift = useSession().data?.shift != null
  const still = useStill({ camera, at, width })
  const [size, setSize] = useState(SIXTEEN_NINE)
  const reason = still.url === null && still.error !== null ? reasonOf(still.error, hasShift) : null
  const state = reason !== null ? 'refused' : still.url === null ? 'loading' : still.isOld ? 'old' : 'ready'
  return (
    <div className={classes['frame']} data-state={state} data-compact={compact || undefined} data-camera={camera} data-still>
      {still.url === null ? null : (
        <img
          className={classes['picture']}
          src={still.url}
          alt={alt}
          draggable={false}
          onLoad={(event) => setSize({ width: event.currentTarget.naturalWidth || 16, height: event.currentTarget.naturalHeight || 9 })}
        />
      )}
      {still.url !== null && box !== null && size !== SIXTEEN_NINE ? <BoxOutline box={box} size={size} label={label} isThin={compact} /> : null}
      {reason === null ? null : (
        <div className={classes['reason']} title={compact ? [t(reason.word), reason.detail].filter(Boolean).join(' ') : undefined} role="img" aria-label={t(reason.word)}>
          <Glyph name={reason.glyph} size={compact ? 20 : 32} />
          {compact ? null : (
            <>
              <p className={classes['word']}>{t(reason.word)}</p>
              {reason.detail === undefined ? null : <p className={classes['detail']} dir="auto">{reason.detail}</p>}
              {reason.mayRetry ? <button type="button" className={classes['again']} onClick={still.retry}>{t('shell.retry')}</button> : null}
            </>
          )}
        </div>
      )}
    </div>
  )
}
