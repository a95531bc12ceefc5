import { useState, type FormEvent, type ReactNode } from 'react'
import { Button, Group, Radio, SegmentedControl, Select, Stack, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from 'react-router'
import { useCameras } from '../../../api/queries'
import { useIncidentReport } from '../../../api/response'
import { useI18n } from '../../../i18n/i18n'
import { readPlace } from '../../../lib/distance'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { PriorityMark } from '../../../ui/PriorityMark'
import { EMPTY_REPORT, findFault, toNewIncident, writePlace, type Report } from './report'
import classes from './IncidentList.module.css'

interface Place {
  lon: number
  lat: number
}

export type PickMap = (place: Place | null, onPick: (place: Place) => void) => ReactNode

interface WhereProps {
  report: Report
  change: (part: Partial<Report>) => void
  pickMap: PickMap
}

const MOST_SHOWN = 60

function Where({ report, change, pickMap }: WhereProps) {
  const { t, pick } = useI18n()
  const cameras = useCameras().data ?? []
  return (
    <div className={classes['ways']}>
      <SegmentedControl
        aria-label={t('incident.report.where')}
        value={report.way}
        onChange={(way) => change({ way: way as Report['way'] })}
        data={[{ value: 'camera', label: t('incident.report.camera') }, { value: 'point', label: t('incident.report.point') }]}
      />
      {report.way === 'camera' ? (
        <Select
          searchable
          limit={MOST_SHOWN}
          label={t('incident.camera')}
          description={t('incident.report.camera.hint')}
          placeholder={t('video.list.search')}
          nothingFoundMessage={t('video.list.none')}
          data={cameras.map((camera) => ({ value: camera.id, label: `${pick(camera)} \u2066${camera.code}\u2069` }))}
          value={report.camera}
          onChange={(camera) => change({ camera })}
          data-field="camera"
        />
      ) : (
        <>
          <TextInput label={t('incident.place')} description={t('incident.report.point.hint')} placeholder="30.19840, 67.01260" dir="ltr" value={report.place} onChange={(event) => change({ place: event.currentTarget.value })} error={findFault({ ...report, title: '---' }) === 'place' ? t('incident.report.point.wrong') : null} data-field="place" />
          <div className={classes['pick']}>{pickMap(readPlace(report.place), (place) => change({ place: writePlace(place) }))}</div>
        </>
      )}
    </div>
  )
}

function ReportForm({ pickMap }: { pickMap: PickMap }) {
  const { t } = useI18n()
  const navigate = useNavigate()
  const [report, setReport] = useState(EMPTY_REPORT)
  const send = useIncidentReport()
  const change = (part: Partial<Report>) => setReport((now) => ({ ...now, ...part }))
  const fault = findFault(report)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (fault === null && !send.isPending) send.mutate(toNewIncident(report), { onSuccess: ({ incident }) => void navigate(`/incidents/${incident.id}`) })
  }
  return (
    <form onSubmit={onSubmit}>
      <Stack gap="md">
        <TextInput label={t('incident.report.what')} description={t('incident.report.what.hint')} required maxLength={200} dir="auto" data-autofocus autoComplete="off" value={report.title} onChange={(event) => change({ title: event.currentTarget.value })} data-field="title" />
        <Radio.Group label={t('incident.report.priority')} value={String(report.priority)} onChange={(value) => change({ priority: Number(value) as Report['priority'] })}>
          <Group gap="lg" mt={6}>
            {([1, 2, 3, 4] as const).map((one) => (
              <Radio key={one} value={String(one)} label={<PriorityMark priority={one} size={18} />} />
            ))}
          </Group>
        </Radio.Group>
        <Where report={report} change={change} pickMap={pickMap} />
        <Textarea label={t('incident.report.note')} description={t('incident.report.note.hint')} autosize minRows={2} maxRows={4} maxLength={2000} dir="auto" value={report.note} onChange={(event) => change({ note: event.currentTarget.value })} />
        {fault === 'what' || fault === 'where' ? <p className={classes['sentence']} id="report-fault">{t(`incident.report.fault.${fault}`)}</p> : null}
        {send.isError ? <ErrorNotice error={send.error} /> : null}
        <Group justify="flex-end">
          <Button type="submit" size="md" disabled={fault !== null} loading={send.isPending} aria-describedby={fault === null ? undefined : 'report-fault'} data-act="report">{t('incident.report.do')}</Button>
        </Group>
      </Stack>
    </form>
  )
}

/** What came by phone or was seen on the wall becomes an incident too. */
export function ReportDialog({ opened, onClose, pickMap }: { opened: boolean; onClose: () => void; pickMap: PickMap }) {
  const { t } = useI18n()
  return (
    <Dialog opened={opened} onClose={onClose} title={t('incident.report')} size="xl">
      <ReportForm pickMap={pickMap} />
    </Dialog>
  )
}
