import { useState } from 'react'
import { Button, Progress } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useI18n } from '../../../i18n/i18n'
import { bytes } from '../../../lib/amounts'
import { sha256Hex } from '../../../lib/player/sha256'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Icon } from '../../../ui/Icon'
import { Ltr } from '../../../ui/Ltr'
import { fetchClip, type ExportResult } from '../gateway'
import classes from './Export.module.css'

function Verdict({ matches, found }: { matches: boolean; found: string }) {
  const { t } = useI18n()
  return (
    <div className={classes['verdict']} data-matches={matches} role="status">
      <Icon name={matches ? 'shield' : 'cross'} size={26} />
      <div>
        <strong>{t(matches ? 'video.verify.yes' : 'video.verify.no')}</strong>
        <p>{t(matches ? 'video.verify.yes.detail' : 'video.verify.no.detail')}</p>
        {matches ? null : <Ltr>{found}</Ltr>}
      </div>
    </div>
  )
}

/** An export as its maker answered; of an earlier one the file's name and size may not be known. */
export type Exported = Pick<ExportResult, 'export' | 'sha256' | 'clip' | 'sheet'> & Partial<Pick<ExportResult, 'file' | 'bytes'>>

/** What was exported, its hash, the two files, and a check of the one against the other in this browser. */
export function ExportReceipt({ gateway, result }: { gateway: string; result: Exported }) {
  const { t } = useI18n()
  const name = result.file ?? `${result.export}.mp4`
  const [received, setReceived] = useState(0)
  const check = useMutation({
    mutationFn: async () => sha256Hex(await fetchClip(`${gateway}${result.clip}`, setReceived)),
  })
  return (
    <section className={classes['receipt']} aria-label={t('video.export.done')}>
      <h3>
        <Icon name="check" size={18} /> {t('video.export.done')}
      </h3>
      <dl>
        {result.file === undefined ? null : <><dt>{t('video.export.file')}</dt><dd><Ltr>{result.file}</Ltr></dd></>}
        {result.bytes === undefined ? null : <><dt>{t('video.export.size')}</dt><dd><Ltr>{bytes(result.bytes)}</Ltr></dd></>}
        <dt>SHA-256</dt>
        <dd className={classes['hash']} data-sha256={result.sha256}><Ltr>{result.sha256}</Ltr></dd>
      </dl>
      <div className={classes['downloads']}>
        <Button component="a" href={`${gateway}${result.clip}`} download={name} data-download="clip" size="compact-sm" variant="default" leftSection={<Icon name="download" size={16} />}>
          {t('video.export.clip')}
        </Button>
        <Button component="a" href={`${gateway}${result.sheet}`} download={`${name}.sheet.json`} data-download="sheet" size="compact-sm" variant="default" leftSection={<Icon name="download" size={16} />}>
          {t('video.export.sheet')}
        </Button>
      </div>
      <Button size="compact-sm" variant="light" loading={check.isPending} onClick={() => check.mutate()} data-act="verify" leftSection={<Icon name="shield" size={16} />}>
        {t('video.verify')}
      </Button>
      {check.isPending ? <Progress value={result.bytes === undefined ? 100 : (100 * received) / Math.max(1, result.bytes)} animated={result.bytes === undefined} aria-label={t('video.verify')} /> : null}
      {check.isError ? <ErrorNotice error={check.error} /> : null}
      {check.data === undefined ? null : <Verdict matches={check.data === result.sha256.toLowerCase()} found={check.data} />}
    </section>
  )
}
