import { Button, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useMay } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import type { Interval } from '../../../lib/player/intervals'
import { duration } from '../../../lib/time'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { useTime } from '../../../ui/useTime'
import { exportClip, type ExportResult } from '../gateway'
import { findExportFault, missingMs, type ExportRange } from './exportRange'
import { ExportReceipt } from './ExportReceipt'
import classes from './Export.module.css'

function Ends({ range, onMark, onShow }: { range: ExportRange; onMark: (end: 'from' | 'to') => void; onShow: (at: number) => void }) {
  const { t } = useI18n()
  const time = useTime()
  return (
    <dl className={classes['ends']}>
      {(['from', 'to'] as const).map((end) => {
        const at = range[end]
        return (
          <div key={end}>
            <dt>{t(`video.export.${end}`)}</dt>
            <dd>
              {at === null ? (
                <span className={classes['unset']}>{t('video.export.unset')}</span>
              ) : (
                <button type="button" className={classes['time']} onClick={() => onShow(at)} title={t('video.export.show')}>
                  <bdi>{time.full(at)}</bdi>
                </button>
              )}
              <Button size="compact-xs" variant="default" onClick={() => onMark(end)}>
                {t('video.export.mark', { key: end === 'from' ? 'I' : 'O' })}
              </Button>
            </dd>
          </div>
        )
      })}
    </dl>
  )
}

interface ExportPanelProps {
  gateway: string
  camera: string
  range: ExportRange
  reason: string
  recorded: readonly Interval[]
  now: number
  onReason: (reason: string) => void
  onMark: (end: 'from' | 'to') => void
  onShow: (at: number) => void
}

/** From a marked stretch and a reason to a clip with its hash sheet. */
export function ExportPanel({ gateway, camera, range, reason, recorded, now, onReason, onMark, onShow }: ExportPanelProps) {
  const { t } = useI18n()
  const mayExport = useMay('export_clip')
  const ask = useMutation<ExportResult>({
    mutationFn: () => exportClip(gateway, camera, { from: range.from ?? 0, to: range.to ?? 0 }, reason),
  })
  const fault = findExportFault({ range, reason, recorded, now })
  const missing = missingMs(range, recorded)
  const lengthS = range.from !== null && range.to !== null ? (range.to - range.from) / 1000 : null
  if (!mayExport) {
    return (
      <Panel title={t('video.export')}>
        <p className={classes['sentence']}>{t('video.export.denied')}</p>
      </Panel>
    )
  }
  return (
    <Panel title={t('video.export')} aside={lengthS === null ? null : <Ltr>{duration(lengthS)}</Ltr>}>
      <div className={classes['body']}>
        <Ends range={range} onMark={onMark} onShow={onShow} />
        <Textarea size="sm" label={t('video.export.reason')} description={t('video.export.reason.hint')} autosize minRows={2} maxRows={4} maxLength={500} value={reason} onChange={(event) => onReason(event.currentTarget.value)} dir="auto" />
        {missing >= 1000 && fault !== 'empty' ? <p className={classes['warn']}>{t('video.export.gaps', { length: duration(missing / 1000) })}</p> : null}
        {fault === null || ask.isPending ? null : <p className={classes['sentence']} id="export-fault">{t(`video.export.fault.${fault}`)}</p>}
        <Button disabled={fault !== null} loading={ask.isPending} onClick={() => ask.mutate()} aria-describedby={fault === null ? undefined : 'export-fault'}>
          {t('video.export.do')}
        </Button>
        {ask.isError ? <ErrorNotice error={ask.error} /> : null}
        {ask.data === undefined ? null : <ExportReceipt key={ask.data.export} gateway={gateway} result={ask.data} />}
      </div>
    </Panel>
  )
}
