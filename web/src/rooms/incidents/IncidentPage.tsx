import { useState, type ReactNode } from 'react'
import { Button, Loader } from '@mantine/core'
import { useNavigate, useParams } from 'react-router'
import { useMay, useSession } from '../../api/queries'
import { useIncident, useIncidentNote, useProposals } from '../../api/response'
import type { Act, IncidentDetail } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { History } from '../../ui/history/History'
import { NoteEntry } from '../../ui/history/NoteEntry'
import { KeyHint } from '../../ui/KeyHint'
import { Panel } from '../../ui/Panel'
import { CloseDialog } from './incident/CloseDialog'
import { IncidentHead } from './incident/IncidentHead'
import { mayClose, nextStep } from './incident/next'
import { NextAction } from './incident/NextAction'
import classes from './incident/Incident.module.css'

const NO_ACTS: readonly Act[] = []

/** What other rooms show in it. */
export interface IncidentSlots {
  /** The picture of the alert that opened it. */
  picture: (detail: IncidentDetail) => ReactNode
  /** Live pictures of the cameras around it. */
  tiles: (detail: IncidentDetail) => ReactNode
  map: (detail: IncidentDetail) => ReactNode
  units: (detail: IncidentDetail) => ReactNode
}

function Timeline({ detail }: { detail: IncidentDetail }) {
  const { t } = useI18n()
  const mayWrite = useMay('handle_incidents')
  const note = useIncidentNote(detail.incident.id)
  const isOpen = detail.incident.stage !== 'closed'
  const entry = mayWrite && isOpen ? (
    <NoteEntry hint={t('incident.note.hint')} isPending={note.isPending} error={note.error} onWrite={(text, done) => note.mutate(text, { onSuccess: done })} />
  ) : <p className={classes['foot']}>{t(isOpen ? 'incident.note.role' : 'incident.note.closed')}</p>
  return (
    <Panel fill title={t('incident.timeline')}>
      <History steps={detail.steps} label={t('incident.timeline')} empty={t('incident.timeline.empty')} entry={entry} />
    </Panel>
  )
}

function Actions({ detail }: { detail: IncidentDetail }) {
  const { t } = useI18n()
  const navigate = useNavigate()
  const acts = useSession().data?.acts ?? NO_ACTS
  const [isClosing, setClosing] = useState(false)
  const { incident } = detail
  const isOpen = incident.stage !== 'closed'
  const proposals = useProposals(incident.id, isOpen && acts.includes('dispatch_units'))
  const next = nextStep(detail, proposals.data, acts)
  // While a unit is on it the server refuses; the units' own steps come first.
  const offersClose = isOpen && incident.units === 0 && mayClose(acts)
  useKeys(offersClose ? [{ chord: 'x', label: t('keys.close'), run: () => setClosing(true) }] : [])
  return (
    <>
      <NextAction
        detail={detail}
        next={next}
        onClose={() => setClosing(true)}
        aside={offersClose && next.kind !== 'close' ? (
          <Button variant="default" onClick={() => setClosing(true)} rightSection={<KeyHint chord="x" />} data-act="close-dialog">{t('incident.next.close')}</Button>
        ) : null}
      />
      <CloseDialog
        opened={isClosing && isOpen}
        onClose={() => setClosing(false)}
        incident={incident}
        startWith={next.kind === 'close' && next.intoCase ? 'case' : null}
        onDone={(opened) => {
          setClosing(false)
          if (opened !== null && acts.includes('list_cases')) void navigate(`/cases/${opened.case.id}`)
        }}
      />
    </>
  )
}

/** One incident with everything around it, on one screen: what was seen, what was done, who goes, what is next. */
export default function IncidentPage({ slots }: { slots: IncidentSlots }) {
  const { t } = useI18n()
  const { id } = useParams()
  const query = useIncident(id ?? null)
  const detail = query.data
  if (detail === undefined) {
    return query.isError ? <ErrorNotice error={query.error} onRetry={() => void query.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  return (
    <div className={classes['page']} data-incident={detail.incident.id} data-stage={detail.incident.stage}>
      <IncidentHead incident={detail.incident} />
      {query.isError ? <div className={classes['stale']}><ErrorNotice error={query.error} onRetry={() => void query.refetch()} /></div> : null}
      <div className={classes['columns']}>
        <div className={classes['seen']}>
          <div className={classes['picture']}>{slots.picture(detail)}</div>
          <Panel fill title={t('incident.around')}>{slots.tiles(detail)}</Panel>
        </div>
        <div className={classes['done']}>
          <Actions detail={detail} />
          <Timeline detail={detail} />
        </div>
        <div className={classes['goes']}>
          <section className={classes['map']} aria-label={t('incident.map')}>{slots.map(detail)}</section>
          {slots.units(detail)}
        </div>
      </div>
    </div>
  )
}
