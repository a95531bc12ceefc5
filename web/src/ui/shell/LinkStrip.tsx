import { useLink } from '../../api/LiveLink'
import { useI18n } from '../../i18n/i18n'
import { Icon } from '../Icon'
import { useTime } from '../useTime'
import classes from './Shell.module.css'

/** While the link is lost, every page says so and how old its states are. */
export function LinkStrip() {
  const { t } = useI18n()
  const time = useTime()
  const { link, stoodAt } = useLink()
  if (link !== 'lost') return null
  return (
    <div className={classes['strip']} data-tone="warn" role="alert">
      <Icon name="warn" />
      <p>
        <strong>{t('shell.link.lost')}.</strong> {t('shell.link.lost.detail', { time: stoodAt === null ? '–' : time.seen(stoodAt) })}
      </p>
    </div>
  )
}
