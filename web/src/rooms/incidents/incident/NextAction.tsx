import { useEffect, useState, type ReactNode } from 'react'
import { Button, Loader } from '@mantine/core'
import { Link } from 'react-router'
import { useAssignmentStep, useSendUnit } from '../../../api/response'
import { useSession } from '../../../api/queries'
import type { IncidentDetail } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Icon } from '../../../ui/Icon'
import { KeyHint } from '../../../ui/KeyHint'
import { useSay } from '../../../ui/useSay'
import { nameOf, type NextStep } from './next'
import classes from './Incident.module.css'

/** A key that is held, or pressed twice, must not do the next thing too. */
const SETTLES_AFTER_MS = 800

/** Whether what the button says has stood for long enough to be read. */
function useSettled(name: string): boolean {
  const [settled, setSettled] = useState<string | null>(null)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(name), SETTLES_AFTER_MS)
    return () => clearTimeout(timer)
  }, [name])
  return settled === name
}

interface Doing {
  label: ReactNode
  hint?: string
  run: () => void
}

function useDoing(detail: IncidentDetail, next: NextStep, onClose: () => void) {
  const { t } = useI18n()
  const { distance } = useSay()
  const send = useSendUnit(detail.incident.id)
  const step = useAssignmentStep(detail.incident.id)
  const doing = ((): Doing | null => {
    switch (next.kind) {
      case 'send':
        return {
          label: t('incident.next.send', { unit: next.proposal.unit.code }),
          hint: t('incident.next.send.far', { distance: distance(next.proposal.distance_m) }),
          run: () => send.mutate(next.proposal.unit.id),
        }
      case 'step':
        return {
          label: t(`incident.next.${next.step}`, { unit: next.assignment.code }),
          hint: t('incident.next.heard'),
          run: () => step.mutate({ assignment: next.assignment.id, step: next.step }),
        }
      case 'close':
        return { label: t(next.intoCase ? 'incident.next.case' : 'incident.next.close'), run: onClose }
      default:
        return null
    }
  })()
  return { doing, isPending: send.isPending || step.isPending, error: send.error ?? step.error }
}

/** What stands instead of a button where there is nothing for this person to press. */
function Sentence({ next }: { next: NextStep }) {
  const { t } = useI18n()
  const mayReadCases = useSession().data?.acts.includes('list_cases') ?? false
  switch (next.kind) {
    case 'loading':
      return <Loader size="sm" aria-label={t('shell.loading')} />
    case 'none_free':
      return <p className={classes['sentence']}><b>{t('incident.next.none_free')}</b> {t('incident.next.none_free.do')}</p>
    case 'role':
      return <p className={classes['sentence']}>{t(`incident.next.role.${next.who}`)}</p>
    case 'closed':
      return next.case !== null && mayReadCases ? (
        <Button component={Link} to={`/cases/${next.case}`} size="lg" fullWidth variant="default" leftSection={<Icon name="case" />} data-act="open-case">
          {t('incident.next.open_case')}
        </Button>
      ) : <p className={classes['sentence']}>{t('incident.next.closed')}</p>
    default:
      return null
  }
}

interface NextActionProps {
  detail: IncidentDetail
  next: NextStep
  onClose: () => void
  /** Smaller ways out, beside the one big button. */
  aside?: ReactNode
}

/** The next step as one big button with its key; Enter presses it from anywhere on the page. */
export function NextAction({ detail, next, onClose, aside }: NextActionProps) {
  const { t } = useI18n()
  const { doing, isPending, error } = useDoing(detail, next, onClose)
  const name = nameOf(next)
  const isSettled = useSettled(name)
  const press = () => {
    if (doing !== null && !isPending && isSettled) doing.run()
  }
  useKeys(doing === null ? [] : [{ chord: 'Enter', label: t('keys.next'), run: press }])
  return (
    <section className={classes['next']} aria-label={t('incident.next')} data-next={next.kind === 'step' ? next.step : next.kind}>
      {doing === null ? <Sentence next={next} /> : (
        <Button size="xl" fullWidth loading={isPending} onClick={press} className={classes['act'] ?? ''} aria-keyshortcuts="Enter" data-act="next" data-settled={isSettled}>
          <span className={classes['actText']}>
            <b>{doing.label}</b>
            {doing.hint === undefined ? null : <small>{doing.hint}</small>}
          </span>
          <KeyHint chord="Enter" />
        </Button>
      )}
      {aside}
      {error === null ? null : <ErrorNotice error={error} />}
    </section>
  )
}
