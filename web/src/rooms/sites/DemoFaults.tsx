import { ActionIcon, Button, Popover } from '@mantine/core'
import { Link } from 'react-router'
import { useDemoFault } from '../../api/demo'
import { useCameraState, useConfig, useMay } from '../../api/queries'
import type { DemoFaultDone } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon } from '../../ui/Icon'
import { useTime } from '../../ui/useTime'
import classes from './Faults.module.css'

/** What was broken and what to look at now. */
function Done({ done, camera }: { done: DemoFaultDone; camera: string }) {
  const { t } = useI18n()
  const time = useTime()
  const words = done.fault === 'kill_recorder' ? 'fault.kill.done' : done.fault === 'mend_camera' ? 'fault.mend.done' : 'fault.cut.done'
  const mayPlay = useMay('view_recordings')
  const mayHealth = useMay('view_health')
  return (
    <p className={classes['done']} role="status">
      {t(words, { recorder: done.recorder ?? '–' })} {done.until === null ? null : `${t('fault.cut.until', { time: time.clock(done.until) })} `}
      {mayPlay ? <Link to={`/playback?camera=${encodeURIComponent(camera)}`}>{t('fault.look.timeline')}</Link> : null}
      {mayPlay && mayHealth ? ' · ' : null}
      {mayHealth ? <Link to="/health">{t('fault.look.health')}</Link> : null}
    </p>
  )
}

function Faults({ camera }: { camera: string }) {
  const { t } = useI18n()
  const fault = useDemoFault()
  const isLive = useCameraState(camera)?.state === 'live'
  const cutOrMend = isLive ? 'cut_camera' : 'mend_camera'
  const pending = fault.isPending ? fault.variables.fault : null
  return (
    <div className={classes['faults']}>
      <div className={classes['buttons']}>
        <Button size="compact-md" variant="default" leftSection={<Icon name={isLive ? 'scissors' : 'check'} size={16} />} loading={pending === cutOrMend} onClick={() => fault.mutate({ fault: cutOrMend, camera })} data-fault={cutOrMend}>
          {t(isLive ? 'fault.cut' : 'fault.mend')}
        </Button>
        <Button size="compact-md" variant="default" leftSection={<Icon name="power" size={16} />} loading={pending === 'kill_recorder'} onClick={() => fault.mutate({ fault: 'kill_recorder', camera })} data-fault="kill_recorder">
          {t('fault.kill')}
        </Button>
      </div>
      {fault.isError ? <ErrorNotice error={fault.error} /> : null}
      {fault.data === undefined ? null : <Done done={fault.data} camera={camera} />}
    </div>
  )
}

/** In the demo: break a camera's line or its recorder, and be told where the system explains itself. Else nothing. */
export function DemoFaults({ camera, compact = false }: { camera: string; compact?: boolean }) {
  const { t } = useI18n()
  const isDemo = useConfig().data?.demo === true
  const mayBreak = useMay('cause_faults')
  if (!isDemo || !mayBreak) return null
  if (!compact) return <Faults camera={camera} />
  return (
    <Popover position="bottom-end" width={320} shadow="md" withArrow trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon variant="default" aria-label={t('fault.title')} title={t('fault.title')} data-act="faults">
          <Icon name="scissors" size={18} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Faults camera={camera} />
      </Popover.Dropdown>
    </Popover>
  )
}
