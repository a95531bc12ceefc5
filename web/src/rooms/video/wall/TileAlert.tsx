import { Link } from 'react-router'
import { useI18n } from '../../../i18n/i18n'
import { KeyHint } from '../../../ui/KeyHint'
import { PriorityMark } from '../../../ui/PriorityMark'
import type { TileCall } from './calls'
import classes from './TileAlert.module.css'

/** A frame in the colour of the priority and its word: this camera has an open alert. The word leads to it. */
export function TileAlert({ call: { alert, more }, isSelected }: { call: TileCall; isSelected: boolean }) {
  const { t, pick } = useI18n()
  const title = pick({ name: alert.title, name_ur: alert.title_ur })
  return (
    <>
      <div className={classes['frame']} data-priority={alert.priority} data-taken={alert.state === 'acknowledged' || undefined} data-testid="tile-alert" />
      <Link to={`/queue?alert=${encodeURIComponent(alert.id)}`} className={classes['word']} draggable={false} title={t('video.tile.alert.open', { title })}>
        <PriorityMark priority={alert.priority} size={18} />
        <span dir="auto">{title}</span>
        {more > 0 ? <b>+{more}</b> : null}
        {isSelected ? <KeyHint chord="a" /> : null}
      </Link>
    </>
  )
}
