import { useCounts } from '../../../api/scene'
import { useI18n } from '../../../i18n/i18n'
import { words, type WordKey } from '../../../i18n/words'
import { count } from '../../../lib/amounts'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Ltr } from '../../../ui/Ltr'
import { useModelName } from '../../../ui/modelName'
import { Panel } from '../../../ui/Panel'
import { useTime } from '../../../ui/useTime'
import { classesOf, dayStart, sum } from './counts'
import classes from './Counts.module.css'

interface WayProps {
  amounts: Readonly<Record<string, number>>
}

/** All of one way, with what they were taken for. */
function Way({ amounts }: WayProps) {
  const { t } = useI18n()
  const named = (name: string): string => {
    const key = `class.${name}`
    return key in words ? t(key as WordKey) : name
  }
  return (
    <td>
      <b><Ltr>{count(sum(amounts))}</Ltr></b>
      {classesOf(amounts).map(([name, amount]) => <small key={name}>{named(name)} <Ltr>{count(amount)}</Ltr></small>)}
    </td>
  )
}

/** What has crossed the camera's lines since midnight, and what counted it. */
export function CountsPanel({ camera }: { camera: string }) {
  const { t } = useI18n()
  const { place } = useTime()
  const modelName = useModelName()
  const counts = useCounts(camera, dayStart(Date.now(), place.zone))
  const lines = counts.data?.lines ?? []
  return (
    <Panel title={t('counts.title')} aside={<small className={classes['by']}>{counts.data === undefined || counts.data.model === '' ? null : t('counts.by', { model: modelName(counts.data.model) })}</small>}>
      {counts.isError ? <ErrorNotice error={counts.error} onRetry={() => void counts.refetch()} /> : lines.length === 0 ? (
        <p className={classes['none']}>{t(counts.isPending ? 'shell.loading' : 'counts.none')}</p>
      ) : (
        <table className={classes['table']}>
          <thead>
            <tr><th scope="col">{t('counts.line')}</th><th scope="col">{t('counts.forward')}</th><th scope="col">{t('counts.backward')}</th></tr>
          </thead>
          <tbody>
            {lines.map(({ line, forward, backward }) => (
              <tr key={line}><th scope="row" dir="auto">{line}</th><Way amounts={forward} /><Way amounts={backward} /></tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}
