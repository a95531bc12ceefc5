import { useState, type FormEvent } from 'react'
import { Button, Group, Radio, Stack, Textarea, TextInput } from '@mantine/core'
import { useOpenCase } from '../../../api/cases'
import { useSession } from '../../../api/queries'
import { useIncidentClose } from '../../../api/response'
import type { CaseDetail, CloseIncident, Incident } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Dialog, digitOf } from '../../../ui/Dialog'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { KeyHint } from '../../../ui/KeyHint'
import classes from './Incident.module.css'

type Ending = CloseIncident['outcome'] | 'case'
const ENDINGS: readonly Ending[] = ['resolved', 'no_action', 'false_alarm', 'case']

interface CloseFormProps {
  incident: Incident
  startWith: Ending | null
  onDone: (opened: CaseDetail | null) => void
}

interface References {
  fir: string
  station: string
}

function CaseFields({ references, onChange }: { references: References; onChange: (references: References) => void }) {
  const { t } = useI18n()
  return (
    <Stack gap="xs" className={classes['caseFields'] ?? ''}>
      <TextInput label={t('incident.close.fir')} description={t('incident.close.fir.hint')} required maxLength={60} dir="ltr" autoComplete="off" data-field="fir" value={references.fir} onChange={(event) => onChange({ ...references, fir: event.currentTarget.value })} />
      <TextInput label={t('incident.close.station')} required maxLength={60} dir="auto" autoComplete="off" data-field="station" value={references.station} onChange={(event) => onChange({ ...references, station: event.currentTarget.value })} />
      <p className={classes['sentence']}>{t('incident.close.held')}</p>
    </Stack>
  )
}

function useEndings(): readonly Ending[] {
  const acts = useSession().data?.acts ?? []
  return ENDINGS.filter((one) => acts.includes(one === 'case' ? 'open_case' : 'handle_incidents'))
}

function useClose(incident: Incident, onDone: CloseFormProps['onDone']) {
  const [close, open] = [useIncidentClose(incident.id), useOpenCase()]
  const send = (ending: Ending, note: string, { fir, station }: References) => {
    const { version, id } = incident
    if (ending !== 'case') close.mutate({ outcome: ending, version, note }, { onSuccess: () => onDone(null) })
    else open.mutate({ incident: id, version, fir_number: fir.trim(), police_station: station.trim(), note }, { onSuccess: onDone })
  }
  return { send, isPending: close.isPending || open.isPending, error: close.error ?? open.error }
}

function CloseForm({ incident, startWith, onDone }: CloseFormProps) {
  const { t } = useI18n()
  const endings = useEndings()
  const [ending, setEnding] = useState<Ending | null>(startWith !== null && endings.includes(startWith) ? startWith : (endings[0] ?? null))
  const [note, setNote] = useState('')
  const [references, setReferences] = useState<References>({ fir: '', station: '' })
  const { send, isPending, error } = useClose(incident, onDone)
  const isReady = ending !== null && (ending !== 'case' || (references.fir.trim() !== '' && references.station.trim() !== ''))
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (isReady && !isPending) send(ending, note.trim(), references)
  }
  return (
    <form
      onSubmit={onSubmit}
      onKeyDown={(event) => {
        const chosen = endings[(digitOf(event) ?? 0) - 1]
        if (chosen !== undefined) setEnding(chosen)
        else if (event.key === 'Enter' && event.target instanceof HTMLInputElement && event.target.type === 'radio') onSubmit(event)
      }}
    >
      <Stack gap="md">
        <Radio.Group label={t('incident.close.how')} value={ending} onChange={(value) => setEnding(value as Ending)}>
          <Stack gap={6} mt={6}>
            {endings.map((one, index) => (
              <Radio key={one} value={one} data-autofocus={one === ending || undefined} label={<span className={classes['ending']}>{t(`outcome.${one}`)} <KeyHint chord={String(index + 1)} /></span>} />
            ))}
          </Stack>
        </Radio.Group>
        {endings.includes('case') ? null : <p className={classes['sentence']}>{t('incident.close.case.role')}</p>}
        {ending === 'case' ? <CaseFields references={references} onChange={setReferences} /> : null}
        <Textarea label={t('incident.close.note')} autosize minRows={2} maxRows={5} maxLength={2000} dir="auto" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        {incident.units > 0 ? <p className={classes['warn']}>{t('incident.close.busy')}</p> : null}
        {error === null ? null : <ErrorNotice error={error} />}
        <Group justify="flex-end">
          <Button type="submit" size="md" loading={isPending} disabled={!isReady || incident.units > 0} data-act="close">
            {t(ending === 'case' ? 'incident.close.do.case' : 'incident.close.do')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

interface CloseDialogProps extends CloseFormProps {
  opened: boolean
  onClose: () => void
}

/** How the incident ends: with an outcome, or in a case. All of it by keyboard: digits choose, Tab moves, Enter ends. */
export function CloseDialog({ opened, onClose, incident, startWith, onDone }: CloseDialogProps) {
  const { t } = useI18n()
  return (
    <Dialog opened={opened} onClose={onClose} title={t('incident.next.close')} size="lg">
      <CloseForm incident={incident} startWith={startWith} onDone={onDone} />
    </Dialog>
  )
}
