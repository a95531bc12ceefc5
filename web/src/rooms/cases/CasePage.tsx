import { useState, type ReactNode } from 'react'
import { Loader } from '@mantine/core'
import { Link, useParams } from 'react-router'
import { useCase, useCaseNote } from '../../api/cases'
import { useCameras, useMay } from '../../api/queries'
import type { CaseClip, CaseDetail } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { duration } from '../../lib/time'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { History } from '../../ui/history/History'
import { NoteEntry } from '../../ui/history/NoteEntry'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { Panel } from '../../ui/Panel'
import { PriorityMark } from '../../ui/PriorityMark'
import { useTime } from '../../ui/useTime'
import { CaseDialogs, type CaseQuestion } from './case/CaseDialogs'
import { CaseHead } from './case/CaseHead'
import { inOrder } from './case/evidence'
import classes from './case/Case.module.css'

/** What the video room shows of a clip. */
export interface CaseSlots {
  player: (clip: CaseClip, detail: CaseDetail, isFirst: boolean) => ReactNode
  export: (clip: CaseClip, detail: CaseDetail, isFirst: boolean) => ReactNode
}

function Clip({ clip, detail, isFirst, slots }: { clip: CaseClip; detail: CaseDetail; isFirst: boolean; slots: CaseSlots }) {
  const { t, pick } = useI18n()
  const time = useTime()
  const camera = useCameras().data?.find((one) => one.id === clip.camera)
  const lengthS = (Date.parse(clip.to) - Date.parse(clip.from)) / 1000
  return (
    <li className={classes['clip']} data-clip={clip.camera}>
      {slots.player(clip, detail, isFirst)}
      <div className={classes['about']}>
        <h3>{camera === undefined ? <Ltr>{clip.camera}</Ltr> : pick(camera)}</h3>
        <p><bdi>{time.full(clip.from)}</bdi> – <Ltr>{time.clock(clip.to)}</Ltr> · <Ltr>{duration(lengthS)}</Ltr></p>
        {clip.held_segments > 0 ? (
          <p className={classes['held']} data-held={clip.held_segments}><Icon name="shield" size={18} /> <b>{t('case.held')}</b> <span>{t('case.held.count', { count: clip.held_segments })}</span></p>
        ) : <p className={classes['warn']}>{t('case.held.none')}</p>}
        {slots.export(clip, detail, isFirst)}
      </div>
    </li>
  )
}

function Clips({ detail, slots }: { detail: CaseDetail; slots: CaseSlots }) {
  const { t } = useI18n()
  if (detail.clips.length === 0) return <EmptyState icon="camera" title={t('case.clips.none')}>{t('case.clips.none.do')}</EmptyState>
  return (
    <ul className={classes['clips']}>
      {inOrder(detail.clips, detail.incident).map((clip, index) => (
        <Clip key={`${clip.camera} ${clip.from}`} clip={clip} detail={detail} isFirst={index === 0} slots={slots} />
      ))}
    </ul>
  )
}

function Summary({ incident }: Pick<CaseDetail, 'incident'>) {
  const { t, pick } = useI18n()
  const time = useTime()
  const mayOpen = useMay('list_incidents')
  const number = <Ltr>{incident.number}</Ltr>
  return (
    <Panel title={t('case.summary')} aside={<PriorityMark priority={incident.priority} size={18} />}>
      <dl className={classes['summary']}>
        <dt>{t('incident.number')}</dt>
        <dd>{mayOpen ? <Link to={`/incidents/${incident.id}`}>{number}</Link> : number}</dd>
        <dt>{t('case.what')}</dt>
        <dd><bdi>{pick({ name: incident.title, name_ur: incident.title_ur })}</bdi></dd>
        <dt>{t('incident.opened')}</dt>
        <dd><bdi>{time.full(incident.opened_at)}</bdi></dd>
        <dt>{t('incident.owner')}</dt>
        <dd><bdi>{incident.owner.name}</bdi></dd>
      </dl>
    </Panel>
  )
}

function Writing({ detail, mayWrite }: { detail: CaseDetail; mayWrite: boolean }) {
  const { t } = useI18n()
  const note = useCaseNote(detail.case.id)
  const entry = mayWrite ? (
    <NoteEntry hint={t('case.note.hint')} isPending={note.isPending} error={note.error} onWrite={(text, done) => note.mutate(text, { onSuccess: done })} />
  ) : <p className={classes['foot']}>{t('case.role')}</p>
  return (
    <Panel fill title={t('case.history')}>
      <History steps={detail.steps} label={t('case.history')} empty={t('case.history.empty')} entry={entry} />
    </Panel>
  )
}

/** One case: its references, its clips with their export, and its history. */
export default function CasePage({ slots }: { slots: CaseSlots }) {
  const { t } = useI18n()
  const { id } = useParams()
  const query = useCase(id ?? null)
  const mayWrite = useMay('handle_cases')
  const [asked, setAsked] = useState<CaseQuestion>(null)
  const detail = query.data
  const mayChange = mayWrite && detail?.case.state === 'open'
  useKeys(mayChange ? [
    { chord: 'r', label: t('case.keys.correct'), run: () => setAsked('correct') },
    { chord: 'x', label: t('case.keys.close'), run: () => setAsked('close') },
  ] : [])
  if (detail === undefined) {
    return query.isError ? <ErrorNotice error={query.error} onRetry={() => void query.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  return (
    <div className={classes['page']} data-case={detail.case.id} data-state={detail.case.state}>
      <CaseHead one={detail.case} mayWrite={mayWrite} onCorrect={() => setAsked('correct')} onClose={() => setAsked('close')} />
      {query.isError ? <ErrorNotice error={query.error} onRetry={() => void query.refetch()} /> : null}
      <div className={classes['columns']}>
        <Panel fill title={t('case.clips')} aside={<Ltr>{detail.clips.length}</Ltr>}><Clips detail={detail} slots={slots} /></Panel>
        <div className={classes['side']}>
          <Summary incident={detail.incident} />
          <Writing detail={detail} mayWrite={mayWrite} />
        </div>
      </div>
      <CaseDialogs one={detail.case} asked={asked} onDone={() => setAsked(null)} />
    </div>
  )
}
