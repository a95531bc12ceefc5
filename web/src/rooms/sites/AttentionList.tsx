import { useRef, type ReactNode } from 'react'
import type { Alert, Camera, Incident } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { EmptyState } from '../../ui/EmptyState'
import { KeyHint } from '../../ui/KeyHint'
import { Ltr } from '../../ui/Ltr'
import { Panel } from '../../ui/Panel'
import { useRowKeys } from '../../ui/useRowKeys'
import { CameraLine } from './CameraLine'
import type { Chosen } from './chosen'
import { AlertLine, IncidentLine } from './happening/HappeningLine'
import { notLive, type States } from './states'
import live from './Live.module.css'
import classes from './Map.module.css'

/** A list longer than this is a table's work: the Health page has it. */
const LISTED = 100

interface AttentionListProps {
  cameras: readonly Camera[]
  states: States
  alerts: readonly Alert[]
  incidents: readonly Incident[]
  chosen: Chosen
  onChoose: (chosen: Chosen) => void
}

function Part({ title, of, hint, children }: { title: string; of: number; hint?: ReactNode; children: ReactNode }) {
  if (of === 0) return null
  return (
    <section>
      <h3 className={live['part']}>
        {title} <Ltr>{count(of)}</Ltr> {hint}
      </h3>
      <ul className={classes['lines']}>{children}</ul>
    </section>
  )
}

/** Beside the map: what calls, most urgent first, then what is being dealt with, then what does not work. */
export function AttentionList({ cameras, states, alerts, incidents, chosen, onChoose }: AttentionListProps) {
  const { t, pick } = useI18n()
  const box = useRef<HTMLDivElement>(null)
  useRowKeys(box)
  const troubled = notLive(cameras, states)
  const names = new Map(cameras.map((camera) => [camera.id, pick(camera)]))
  const total = alerts.length + incidents.length + troubled.length
  return (
    <Panel fill title={t('attention.all')} aside={<Ltr>{count(total)}</Ltr>}>
      <div ref={box}>
        <Part title={t('attention.alerts')} of={alerts.length} hint={<KeyHint chord="n" />}>
          {alerts.slice(0, LISTED).map((alert) => (
            <AlertLine key={alert.id} alert={alert} place={names.get(alert.camera ?? '') ?? t('alert.kind.manual')} isChosen={chosen?.id === alert.id} onChoose={() => onChoose({ kind: 'alert', id: alert.id })} />
          ))}
        </Part>
        <Part title={t('attention.incidents')} of={incidents.length}>
          {incidents.slice(0, LISTED).map((incident) => (
            <IncidentLine key={incident.id} incident={incident} isChosen={chosen?.id === incident.id} onChoose={() => onChoose({ kind: 'incident', id: incident.id })} />
          ))}
        </Part>
        <Part title={t('attention.title')} of={troubled.length}>
          {troubled.slice(0, LISTED).map(({ camera, entry }) => (
            <CameraLine key={camera.id} camera={camera} entry={entry} onOpen={(id) => onChoose({ kind: 'camera', id })} />
          ))}
        </Part>
      </div>
      {total === 0 ? <EmptyState icon="check" title={t('attention.none')}>{t('attention.none.do')}</EmptyState> : null}
    </Panel>
  )
}
