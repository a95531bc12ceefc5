import { Loader } from '@mantine/core'
import { useLedger } from '../../../api/queries'
import type { LedgerDay } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { percent } from '../../../lib/amounts'
import { shortCausePhrase } from '../../../ui/cause'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Panel } from '../../../ui/Panel'
import { partsOf, type Part } from './ledgerParts'
import classes from './Ledger.module.css'

const DAYS = 30

function useName(): (part: Part) => string {
  const { t } = useI18n()
  return ({ kind, cause }) => {
    if (kind !== 'missing') return t(`ledger.${kind}`)
    return t(shortCausePhrase(cause) ?? 'cause.other')
  }
}

/** One day as a stack: recorded at the bottom, then what was recovered, then each cause; told in words as well. */
function Bar({ day }: { day: LedgerDay }) {
  const { t } = useI18n()
  const name = useName()
  const parts = partsOf(day)
  const whole = t('ledger.day', { day: day.day, share: percent(day.recorded_s + day.recovered_s, day.expected_s) })
  const lost = parts.filter((part) => part.kind === 'missing' || part.kind === 'unexplained')
  const said = [whole, ...lost.map((part) => `${name(part)} ${percent(part.seconds, day.expected_s)}`)].join(', ')
  return (
    <li className={classes['bar']} title={said} aria-label={said}>
      {parts.map((part) => (
        <span key={part.key} className={classes['part']} data-kind={part.kind} data-cause={part.cause ?? undefined} style={{ flexGrow: part.seconds }} />
      ))}
    </li>
  )
}

function Key({ days }: { days: readonly LedgerDay[] }) {
  const name = useName()
  const found = new Map(days.flatMap(partsOf).map((part) => [part.key, part]))
  return (
    <ul className={classes['key']}>
      {[...found.values()].map((part) => (
        <li key={part.key}>
          <span className={classes['swatch']} data-kind={part.kind} data-cause={part.cause ?? undefined} aria-hidden />
          {name(part)}
        </li>
      ))}
    </ul>
  )
}

export function LedgerBars() {
  const { t } = useI18n()
  const ledger = useLedger()
  if (ledger.data === undefined) {
    return ledger.isError ? <ErrorNotice error={ledger.error} onRetry={() => void ledger.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  const days = [...ledger.data].sort((a, b) => a.day.localeCompare(b.day)).slice(-DAYS)
  return (
    <Panel title={t('ledger.title')} aside={<a href="/public/ledger" target="_blank" rel="noreferrer">{t('ledger.public')}</a>}>
      {days.length === 0 ? (
        <EmptyState icon="check" title={t('ledger.none')}>{t('ledger.none.do')}</EmptyState>
      ) : (
        <div className={classes['ledger']}>
          <ol className={classes['bars']}>{days.map((day) => <Bar key={day.day} day={day} />)}</ol>
          <Key days={days} />
        </div>
      )}
    </Panel>
  )
}
