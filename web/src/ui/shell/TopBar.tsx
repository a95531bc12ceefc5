import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useLink } from '../../api/LiveLink'
import { useCameraStates, useConfig, useHealth } from '../../api/queries'
import type { Session } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { cityName } from '../cityName'
import { Icon } from '../Icon'
import { Ltr } from '../Ltr'
import { StateShape } from '../StateShape'
import { useNow, useTime } from '../useTime'
import { UserMenu } from './UserMenu'
import classes from './Shell.module.css'

/** Live of total: from the live states, before they are there from /api/health. */
function LiveCount() {
  const { t } = useI18n()
  const states = Object.values(useCameraStates())
  const health = useHealth().data
  const total = states.length > 0 ? states.length : health?.cameras.total
  const live = states.length > 0 ? states.filter((entry) => entry.state === 'live').length : health?.cameras.live
  if (total === undefined || live === undefined) return null
  return (
    <span className={classes['fact']} title={t('shell.live')} data-testid="live-count">
      <StateShape state={live === total ? 'live' : live === 0 ? 'offline' : 'stalled'} />
      <Ltr>
        {live} / {total}
      </Ltr>
      <span className={`${classes['dim']} ${classes['wide']}`}>{t('shell.live')}</span>
    </span>
  )
}

function LinkFact() {
  const { t } = useI18n()
  const { link } = useLink()
  const word = link === 'open' ? t('shell.link.open') : link === 'lost' ? t('shell.link.lost') : t('shell.link.connecting')
  const state = link === 'open' ? 'live' : link === 'lost' ? 'offline' : 'unknown'
  return (
    <span className={`${classes['fact']} ${classes['narrowHidden']}`} role="status" data-link={link} title={word}>
      <StateShape state={state} size={11} />
      <span className={`${classes['dim']} ${classes['wide']}`}>{word}</span>
    </span>
  )
}

function Clock() {
  const now = useNow()
  const time = useTime()
  return (
    <span className={classes['fact']}>
      <span className={`${classes['dim']} ${classes['narrowHidden']}`}>{time.day(now)}</span>
      <span className={classes['time']}>
        <Ltr>{time.clock(now)}</Ltr>
      </span>
    </span>
  )
}

export function TopBar({ session, onKeys }: { session: Session; onKeys: () => void }) {
  const { t, language, setLanguage, pick } = useI18n()
  const config = useConfig().data
  return (
    <header className={classes['bar']}>
      <div className={classes['brand']}>
        <img src="/mark.svg" width={26} height={26} alt="" />
        <strong>{t('shell.app')}</strong>
        {config === undefined ? null : <span className={classes['city']}>{cityName(pick(config), t('shell.app'))}</span>}
      </div>
      <LiveCount />
      <LinkFact />
      <Clock />
      <Tooltip label={t('shell.language.label')}>
        <Button variant="subtle" color="gray" size="compact-sm" lang={language === 'en' ? 'ur' : 'en'} aria-label={t('shell.language.label')} onClick={() => setLanguage(language === 'en' ? 'ur' : 'en')}>
          {t('shell.language')}
        </Button>
      </Tooltip>
      <Tooltip label={`${t('shell.keys.help')} (?)`}>
        <ActionIcon variant="subtle" color="gray" aria-label={t('shell.keys.help')} onClick={onKeys} className={classes['narrowHidden']}>
          <Icon name="keyboard" />
        </ActionIcon>
      </Tooltip>
      <UserMenu session={session} />
    </header>
  )
}
