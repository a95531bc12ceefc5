import { Button } from '@mantine/core'
import { useMay, useShift } from '../../api/queries'
import type { Session } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { ErrorNotice } from '../ErrorNotice'
import { Icon } from '../Icon'
import classes from './Shell.module.css'

/** Says to those who work in shifts that no picture opens before the shift does. */
export function ShiftStrip({ session }: { session: Session }) {
  const { t } = useI18n()
  const shift = useShift()
  const mayWorkShifts = useMay('start_shift')
  if (!mayWorkShifts || session.shift !== null) return shift.isError ? <ErrorNotice error={shift.error} /> : null
  return (
    <>
      <div className={classes['strip']} data-tone="warn">
        <Icon name="clock" />
        <p>{t('shell.shift.needed')}</p>
        <Button size="compact-sm" loading={shift.isPending} onClick={() => shift.mutate(true)}>
          {t('shell.shift.start')}
        </Button>
      </div>
      {shift.isError ? <ErrorNotice error={shift.error} /> : null}
    </>
  )
}
