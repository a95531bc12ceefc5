import { Button } from '@mantine/core'
import { Link } from 'react-router'
import type { Case } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Icon } from '../../../ui/Icon'
import { KeyHint } from '../../../ui/KeyHint'
import { Ltr } from '../../../ui/Ltr'
import { useTime } from '../../../ui/useTime'
import { CaseState } from '../CaseState'
import classes from './Case.module.css'

interface CaseHeadProps {
  one: Case
  mayWrite: boolean
  onCorrect: () => void
  onClose: () => void
}

/** Number, references, state, and who opened it when. */
export function CaseHead({ one, mayWrite, onCorrect, onClose }: CaseHeadProps) {
  const { t, pick } = useI18n()
  const time = useTime()
  const isOpen = one.state === 'open'
  return (
    <header className={classes['head']}>
      <Link to="/cases" className={classes['back']} aria-label={t('case.back')} title={t('case.back')}>
        <Icon name="chevron" size={22} mirrored />
      </Link>
      <div className={classes['name']}>
        <h1>{t('case.one', { number: one.number })}</h1>
        <p><CaseState state={one.state} /> <bdi>{pick({ name: one.title, name_ur: one.title_ur })}</bdi></p>
      </div>
      <dl className={classes['facts']}>
        <div>
          <dt>{t('case.fir')}</dt>
          <dd className={classes['big']} data-fir={one.fir_number}><Ltr>{one.fir_number}</Ltr></dd>
        </div>
        <div>
          <dt>{t('case.station')}</dt>
          <dd className={classes['big']}><bdi>{one.police_station}</bdi></dd>
        </div>
        <div>
          <dt>{t('case.openedAt')} <bdi>{t('case.openedBy', { name: one.opened_by.name })}</bdi></dt>
          <dd><bdi>{time.seen(one.opened_at)}</bdi></dd>
        </div>
        {one.closed_at === null ? null : (
          <div>
            <dt>{t('case.closedAt')} <bdi>{time.seen(one.closed_at)}</bdi></dt>
            <dd><bdi>{one.outcome}</bdi></dd>
          </div>
        )}
      </dl>
      {mayWrite && isOpen ? (
        <div className={classes['acts']}>
          <Button variant="default" onClick={onCorrect} rightSection={<KeyHint chord="r" />} data-act="correct">{t('case.correct')}</Button>
          <Button variant="default" onClick={onClose} rightSection={<KeyHint chord="x" />} data-act="close-case">{t('case.close')}</Button>
        </div>
      ) : null}
    </header>
  )
}
