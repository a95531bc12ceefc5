import type { ReactNode } from 'react'
import type { HealthDetail } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { bytes, count, percent } from '../../../lib/amounts'
import { duration } from '../../../lib/time'
import { Icon, type IconName } from '../../../ui/Icon'
import { Ltr } from '../../../ui/Ltr'
import { StateShape } from '../../../ui/StateShape'
import { useTime } from '../../../ui/useTime'
import type { States } from '../states'
import classes from './Health.module.css'

interface NumberCardProps {
  icon: IconName
  name: string
  value: ReactNode
  children?: ReactNode
}

function NumberCard({ icon, name, value, children }: NumberCardProps) {
  return (
    <section className={classes['number']}>
      <h2>
        <Icon name={icon} size={18} /> {name}
      </h2>
      <p className={classes['value']}>{value}</p>
      <div className={classes['under']}>{children}</div>
    </section>
  )
}

/** From here on the bar warns: retention is about to delete what is younger than hoped. */
const NEARLY_FULL = 0.97

function DiskCard({ disk }: { disk: HealthDetail['disk'] }) {
  const { t } = useI18n()
  const time = useTime()
  const share = disk.budget_bytes > 0 ? Math.min(1, disk.used_bytes / disk.budget_bytes) : 0
  const words = t('health.disk.of', { used: bytes(disk.used_bytes), budget: bytes(disk.budget_bytes) })
  return (
    <NumberCard icon="disk" name={t('health.disk')} value={<Ltr>{percent(disk.used_bytes, disk.budget_bytes)}</Ltr>}>
      <div className={classes['bar']} role="meter" aria-label={t('health.disk')} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100} aria-valuetext={words}>
        <div style={{ inlineSize: `${share * 100}%` }} data-full={share >= NEARLY_FULL || undefined} />
      </div>
      {words} · {t('health.disk.free', { free: bytes(disk.free_bytes) })}
      {disk.oldest === null ? null : <div>{t('health.disk.oldest', { time: time.full(disk.oldest) })}</div>}
    </NumberCard>
  )
}

/** The promise of the recorder: no second is lost without a reason that is known. */
function UnexplainedCard({ seconds }: { seconds: number }) {
  const { t } = useI18n()
  const whole = Math.round(seconds)
  const isClean = whole === 0
  return (
    <NumberCard icon="shield" name={t('health.unexplained')} value={<span data-testid="unexplained"><Ltr>{count(whole)}</Ltr></span>}>
      <span className={classes['inline']}>
        <StateShape state={isClean ? 'live' : 'offline'} />
        {isClean ? t('health.unexplained.none') : t('health.unexplained.some')}
      </span>
    </NumberCard>
  )
}

/** The database and the keys, kept elsewhere and tried. */
function BackupCard({ backup }: { backup: HealthDetail['backup'] }) {
  const { t } = useI18n()
  const time = useTime()
  const value = !backup.is_wanted ? t('health.backup.none') : backup.is_good ? t('health.backup.good') : t('health.backup.bad')
  return (
    <NumberCard icon="shield" name={t('health.backup')} value={<span data-testid="backup">{value}</span>}>
      {!backup.is_wanted ? (
        t('health.backup.none.do')
      ) : (
        <span className={classes['inline']}>
          <StateShape state={backup.is_good ? 'live' : 'offline'} />
          {backup.made_at === null ? t('health.backup.never') : t('health.backup.made', { time: time.full(backup.made_at), size: bytes(backup.size_bytes) })}
        </span>
      )}
      {backup.restored_at === null ? null : <div>{t('health.backup.restored', { time: time.full(backup.restored_at) })}</div>}
      {backup.problem === null ? null : <div><Ltr>{backup.problem}</Ltr></div>}
    </NumberCard>
  )
}

/** From here on minutes and seconds say nothing more. */
const HOURS_FROM_S = 100 * 3600

export function Numbers({ detail, states }: { detail: HealthDetail; states: States }) {
  const { t } = useI18n()
  const live = detail.cameras.filter((camera) => (states[camera.id] ?? camera).state === 'live').length
  const total = detail.cameras.length
  const recordedS = detail.cameras.reduce((sum, camera) => sum + camera.recorded_today_s, 0)
  const missingS = detail.cameras.reduce((sum, camera) => sum + camera.missing_today_s, 0)
  return (
    <div className={classes['numbers']}>
      <NumberCard icon="camera" name={t('health.live')} value={<Ltr>{count(live)} / {count(total)}</Ltr>}>
        <span className={classes['inline']}>
          <StateShape state={live === total ? 'live' : 'stalled'} />
          {live === total ? t('health.live.all') : t('health.live.missing', { count: total - live })}
        </span>
      </NumberCard>
      <NumberCard icon="playback" name={t('health.recorded')} value={<Ltr>{recordedS < HOURS_FROM_S ? duration(recordedS) : `${count(Math.floor(recordedS / 3600))}\u00a0h`}</Ltr>}>
        {t('health.recorded.all')} · <Ltr>{count(Math.floor(recordedS))}{'\u00a0s'}</Ltr>
      </NumberCard>
      <NumberCard icon="warn" name={t('health.missing')} value={<Ltr>{duration(missingS)}</Ltr>}>
        {t('health.missing.share', { share: percent(missingS, recordedS + missingS) })} · <Ltr>{count(Math.round(missingS))}{'\u00a0s'}</Ltr>
      </NumberCard>
      <UnexplainedCard seconds={detail.unexplained_s} />
      <DiskCard disk={detail.disk} />
      <NumberCard icon="database" name={t('health.database')} value={detail.database.ok ? t('health.database.ok') : t('health.database.bad')}>
        <span className={classes['inline']}>
          <StateShape state={detail.database.ok ? 'live' : 'offline'} />
          <Ltr>{detail.database.kind}</Ltr>
        </span>
      </NumberCard>
      <BackupCard backup={detail.backup} />
    </div>
  )
}
