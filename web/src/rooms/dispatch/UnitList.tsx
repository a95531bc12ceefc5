import { Drawer } from '@mantine/core'
import type { Unit } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { EmptyState } from '../../ui/EmptyState'
import { Ltr } from '../../ui/Ltr'
import { UnitMark } from '../../ui/UnitMark'
import { useNow } from '../../ui/useTime'
import { FixAge, StatusMark } from './UnitBits'
import { byStatus, fixAgeS } from './unitModel'
import classes from './Units.module.css'

/** Older than this a unit has left the place where it was. */
const STALE_S = 120

function Rows({ units }: { units: readonly Unit[] }) {
  const { pick, t } = useI18n()
  const now = useNow(5000)
  return (
    <ul className={classes['rows']} aria-label={t('unit.all')}>
      {byStatus(units).map((unit) => {
        const ageS = fixAgeS(unit, now)
        return (
          <li key={unit.id} className={classes['row']} data-unit={unit.id}>
            <div className={classes['who']}>
              <b><Ltr>{unit.code}</Ltr></b> <UnitMark kind={unit.kind} />
              <small><bdi>{pick(unit)}</bdi></small>
            </div>
            <div className={classes['far']}>
              <StatusMark status={unit.status} />
              <FixAge ageS={ageS} isStale={ageS >= STALE_S} />
            </div>
          </li>
        )
      })}
    </ul>
  )
}

/** Every unit with its status and the age of its position; the keys of the page behind it rest meanwhile. */
export function UnitList({ opened, onClose, units }: { opened: boolean; onClose: () => void; units: readonly Unit[] }) {
  const { t } = useI18n()
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="28rem" title={t('unit.all')} onKeyDown={(event) => event.stopPropagation()} closeButtonProps={{ 'aria-label': t('shell.close') }}>
      {units.length === 0 ? <EmptyState title={t('unit.all.none')}>{t('unit.all.none.do')}</EmptyState> : <Rows units={units} />}
    </Drawer>
  )
}
