import { Button, Loader } from '@mantine/core'
import type { Proposal } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { KeyHint } from '../../ui/KeyHint'
import { Ltr } from '../../ui/Ltr'
import { UnitMark } from '../../ui/UnitMark'
import { useSay } from '../../ui/useSay'
import { FixAge } from './UnitBits'
import classes from './Units.module.css'

/** As many as there are number keys for. */
export const OFFERED = 5

interface ProposalsProps {
  proposals: readonly Proposal[] | undefined
  error: unknown
  /** The unit that is being sent. */
  sending: string | null
  onSend: (unit: string) => void
  onRetry: () => void
}

function Row({ proposal, index, sending, onSend }: { proposal: Proposal; index: number; sending: string | null; onSend: (unit: string) => void }) {
  const { t, pick } = useI18n()
  const { distance } = useSay()
  const { unit } = proposal
  return (
    <li className={classes['row']} data-unit={unit.id}>
      <div className={classes['who']}>
        <b><Ltr>{unit.code}</Ltr></b> <UnitMark kind={unit.kind} />
        <small><bdi>{pick(unit)}</bdi></small>
      </div>
      <div className={classes['far']}>
        <b>{distance(proposal.distance_m)}</b>
        <FixAge ageS={proposal.fix_age_s} isStale={proposal.is_stale} />
      </div>
      <Button size="sm" variant={index === 0 ? 'filled' : 'default'} loading={sending === unit.id} disabled={sending !== null && sending !== unit.id} onClick={() => onSend(unit.id)} rightSection={<KeyHint chord={String(index + 1)} />} aria-label={t('unit.send.key', { unit: unit.code })} data-act="send">
        {t('unit.send')}
      </Button>
    </li>
  )
}

/** The nearest free units, nearest first; a number key sends one. */
export function Proposals({ proposals, error, sending, onSend, onRetry }: ProposalsProps) {
  const { t } = useI18n()
  const offered = (proposals ?? []).slice(0, OFFERED)
  useKeys(offered.map(({ unit }, index) => ({
    chord: String(index + 1), label: t('unit.send.key', { unit: unit.code }), run: () => { if (sending === null) onSend(unit.id) },
  })))
  if (proposals === undefined) return error === null ? <Loader m="sm" size="sm" aria-label={t('shell.loading')} /> : <ErrorNotice error={error} onRetry={onRetry} />
  if (offered.length === 0) return <p className={classes['sentence']}><b>{t('incident.next.none_free')}</b> {t('incident.next.none_free.do')}</p>
  return (
    <>
      <ol className={classes['rows']} aria-label={t('unit.nearest')}>
        {offered.map((proposal, index) => (
          <Row key={proposal.unit.id} proposal={proposal} index={index} sending={sending} onSend={onSend} />
        ))}
      </ol>
      <p className={classes['explain']}>{t('unit.straight.explain')}</p>
    </>
  )
}
