import { useEffect, useState } from 'react'
import { Button, Progress } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useConfig } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import type { Interval } from '../../../lib/player/intervals'
import { useKeys } from '../../../lib/keys'
import { duration } from '../../../lib/time'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Icon } from '../../../ui/Icon'
import { KeyHint } from '../../../ui/KeyHint'
import { exportAddresses, exportClip } from '../gateway'
import { ExportReceipt, type Exported } from '../playback/ExportReceipt'
import { recordedPart } from './loop'
import classes from './Evidence.module.css'

interface EvidenceExportProps {
  camera: string
  range: Interval
  /** Written to the log beside the export. */
  reason: string
  /** The newest export under the case, with its hash where the history has it. */
  last: { export: string; sha256: string | null } | null
  /** Why this person cannot export now; null where they can. */
  refusal: string | null
  /** Tells the case; resolves when it is written there. */
  onExported: (exported: string) => Promise<unknown>
  chord?: string | undefined
}

interface Made {
  exported: Exported
  /** The clip is there, but the case does not list it. */
  unwritten: unknown
}

/** How long it has been going on, so that a long export does not look like a dead one. */
function Running({ since }: { since: number }) {
  const { t } = useI18n()
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <div className={classes['running']} role="status" data-exporting>
      <b>{t('case.export.running')}</b>
      <Progress value={100} animated striped aria-label={t('case.export.running')} />
      <p>{t('case.export.running.do', { elapsed: duration((now - since) / 1000) })}</p>
    </div>
  )
}

function useExport({ camera, range, reason, onExported }: EvidenceExportProps) {
  const gateway = useConfig().data?.gateway ?? ''
  return useMutation({
    mutationFn: async (): Promise<Made> => {
      const exported = await exportClip(gateway, camera, recordedPart(range, Date.now()), reason)
      try {
        await onExported(exported.export)
        return { exported, unwritten: null }
      } catch (unwritten) {
        return { exported, unwritten }
      }
    },
  })
}

/** From a clip of a case to a file with its hash sheet, and to a check of the one against the other. */
export function EvidenceExport(props: EvidenceExportProps) {
  const { t } = useI18n()
  const gateway = useConfig().data?.gateway
  const make = useExport(props)
  const { last, refusal, chord } = props
  const start = () => {
    if (refusal === null && !make.isPending) make.mutate()
  }
  useKeys(refusal === null && chord !== undefined ? [{ chord, label: t('case.keys.export'), run: start }] : [])
  const made = make.data?.exported
  const earlier = last === null || last.sha256 === null ? null : { ...exportAddresses(last.export), export: last.export, sha256: last.sha256 }
  const shown = made ?? earlier
  return (
    <div className={classes['export']}>
      {gateway === undefined || shown === null || make.isPending ? null : <ExportReceipt key={shown.export} gateway={gateway} result={shown} />}
      {make.isPending ? <Running since={make.submittedAt} /> : null}
      {refusal === null ? (
        make.isPending ? null : (
          <Button variant={shown === null ? 'filled' : 'default'} onClick={start} leftSection={<Icon name="shield" size={18} />} rightSection={chord === undefined ? null : <KeyHint chord={chord} />} data-act="export">
            {t(shown === null ? 'case.export' : 'case.export.again')}
          </Button>
        )
      ) : <p className={classes['sentence']}>{refusal}</p>}
      {make.isError ? <ErrorNotice error={make.error} /> : null}
      {make.data !== undefined && make.data.unwritten !== null ? (
        <>
          <p className={classes['warn']}>{t('case.export.unwritten')}</p>
          <ErrorNotice error={make.data.unwritten} />
        </>
      ) : null}
    </div>
  )
}
