import type { ReactNode } from 'react'
import { Button } from '@mantine/core'
import { Link, useNavigate } from 'react-router'
import type { Alert, Camera, Incident, Unit } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'
import { KeyHint } from '../../../ui/KeyHint'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { PriorityMark } from '../../../ui/PriorityMark'
import { UnitMark } from '../../../ui/UnitMark'
import { useSay } from '../../../ui/useSay'
import { useNow, useTime } from '../../../ui/useTime'
import type { Chosen } from '../chosen'
import { CloseButton } from '../CloseButton'
import classes from '../Map.module.css'

interface CardProps {
  title: string
  mark: ReactNode
  state: string
  facts: readonly (readonly [string, ReactNode] | null)[]
  /** Where the work on it is done; none where the role has no such page. */
  link: { to: string; word: string } | null
  onClose: () => void
}

/** What, where and in which state, and the way to where it is worked on. */
function Card({ title, mark, state, facts, link, onClose }: CardProps) {
  const navigate = useNavigate()
  useKeys(link === null ? [] : [{ chord: 'Enter', label: link.word, run: () => void navigate(link.to) }])
  return (
    <Panel title={<span dir="auto">{title}</span>} aside={<CloseButton onClose={onClose} />}>
      <p className={classes['state']} data-testid="thing-state">{mark} <span>{state}</span></p>
      <dl className={classes['facts']}>
        {facts.map((fact) => fact === null ? null : (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ))}
      </dl>
      {link === null ? null : (
        <div className={classes['actions']}>
          <Button component={Link} to={link.to} rightSection={<KeyHint chord="Enter" />}>{link.word}</Button>
        </div>
      )}
    </Panel>
  )
}

/** The camera's name as a way to it. */
function CameraLink({ camera, onChoose }: { camera: Camera; onChoose: (chosen: Chosen) => void }) {
  const { pick } = useI18n()
  return <button type="button" className={classes['link']} onClick={() => onChoose({ kind: 'camera', id: camera.id })}>{pick(camera)}</button>
}

interface ThingProps {
  camera: Camera | undefined
  mayOpen: boolean
  onChoose: (chosen: Chosen) => void
}

export function AlertCard({ alert, camera, mayOpen, onChoose }: ThingProps & { alert: Alert }) {
  const { t, pick } = useI18n()
  const time = useTime()
  const holder = alert.owner ?? alert.offered_to
  const state = alert.state === 'acknowledged' ? t('alert.hold.held', { name: holder?.name ?? '–' })
    : alert.level >= 2 ? t('alert.hold.supervisor')
    : alert.level === 1 || holder === null ? t('alert.hold.everyone') : t('alert.hold.offered', { name: holder.name })
  return (
    <Card
      title={pick({ name: alert.title, name_ur: alert.title_ur })}
      mark={<PriorityMark priority={alert.priority} />}
      state={state}
      facts={[
        camera === undefined ? null : [t('alert.where'), <CameraLink key="camera" camera={camera} onChoose={onChoose} />],
        [t('alert.seen'), <bdi key="seen">{time.seen(alert.first_at)}</bdi>],
        alert.count > 1 ? [t('alert.last'), <span key="last"><bdi>{time.seen(alert.last_at)}</bdi> · {t('alert.count', { count: alert.count })}</span>] : null,
      ]}
      link={mayOpen ? { to: `/queue?alert=${encodeURIComponent(alert.id)}`, word: t('thing.open.queue') } : null}
      onClose={() => onChoose(null)}
    />
  )
}

export function IncidentCard({ incident, camera, mayOpen, onChoose }: ThingProps & { incident: Incident }) {
  const { t, pick } = useI18n()
  const time = useTime()
  return (
    <Card
      title={pick({ name: incident.title, name_ur: incident.title_ur })}
      mark={<PriorityMark priority={incident.priority} />}
      state={t(`stage.${incident.stage}`)}
      facts={[
        [t('incident.number'), <Ltr key="number">{incident.number}</Ltr>],
        camera === undefined ? null : [t('incident.camera'), <CameraLink key="camera" camera={camera} onChoose={onChoose} />],
        [t('incident.opened'), <bdi key="opened">{time.seen(incident.opened_at)}</bdi>],
        [t('incident.owner'), <bdi key="owner">{incident.owner.name}</bdi>],
        [t('incident.units'), <Ltr key="units">{incident.units}</Ltr>],
      ]}
      link={mayOpen ? { to: `/incidents/${encodeURIComponent(incident.id)}`, word: t('thing.open.incident') } : null}
      onClose={() => onChoose(null)}
    />
  )
}

interface UnitCardProps {
  unit: Unit
  /** What it is on, where it is on something. */
  incident: Incident | undefined
  mayOpen: boolean
  onChoose: (chosen: Chosen) => void
}

export function UnitCard({ unit, incident, mayOpen, onChoose }: UnitCardProps) {
  const { t, pick } = useI18n()
  const { age } = useSay()
  const now = useNow()
  const on = incident === undefined ? null : (
    <button type="button" className={classes['link']} onClick={() => onChoose({ kind: 'incident', id: incident.id })}>
      <Ltr>{incident.number}</Ltr> {pick({ name: incident.title, name_ur: incident.title_ur })}
    </button>
  )
  return (
    <Card
      title={`${unit.code} · ${pick(unit)}`}
      mark={<UnitMark kind={unit.kind} size={20} />}
      state={t(`unit.status.${unit.status}`)}
      facts={[
        on === null ? null : [t('thing.unit.on'), on],
        [t('thing.unit.fix'), t('alert.ago', { age: age((now - Date.parse(unit.fix_at)) / 1000) })],
      ]}
      link={mayOpen && unit.incident !== null ? { to: `/incidents/${encodeURIComponent(unit.incident)}`, word: t('thing.open.incident') } : null}
      onClose={() => onChoose(null)}
    />
  )
}

/** What was chosen has been decided or closed meanwhile; its own page still has it. */
export function GoneCard({ kind, id, mayOpen, onChoose }: { kind: 'alert' | 'incident'; id: string; mayOpen: boolean; onChoose: (chosen: Chosen) => void }) {
  const { t } = useI18n()
  const link = kind === 'alert' ? { to: `/queue?alert=${encodeURIComponent(id)}`, word: t('thing.open.queue') } : { to: `/incidents/${encodeURIComponent(id)}`, word: t('thing.open.incident') }
  return <Card title={t(`thing.gone.${kind}`)} mark={null} state={t('thing.gone.do')} facts={[]} link={mayOpen ? link : null} onClose={() => onChoose(null)} />
}
