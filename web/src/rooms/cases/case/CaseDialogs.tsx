import { useState, type FormEvent } from 'react'
import { Button, Group, Stack, TextInput } from '@mantine/core'
import { useCaseClose, useCaseReferences } from '../../../api/cases'
import type { Case } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Dialog } from '../../../ui/Dialog'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import classes from './Case.module.css'

interface FormProps {
  one: Case
  onDone: () => void
}

function CorrectForm({ one, onDone }: FormProps) {
  const { t } = useI18n()
  const [fir, setFir] = useState(one.fir_number)
  const [station, setStation] = useState(one.police_station)
  const correct = useCaseReferences(one.id)
  const isReady = fir.trim() !== '' && station.trim() !== '' && (fir.trim() !== one.fir_number || station.trim() !== one.police_station)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (isReady && !correct.isPending) correct.mutate({ version: one.version, fir_number: fir.trim(), police_station: station.trim() }, { onSuccess: onDone })
  }
  return (
    <form onSubmit={onSubmit}>
      <Stack gap="md">
        <TextInput label={t('case.fir')} required maxLength={60} dir="ltr" autoComplete="off" data-autofocus data-field="fir" value={fir} onChange={(event) => setFir(event.currentTarget.value)} />
        <TextInput label={t('case.station')} required maxLength={60} dir="auto" autoComplete="off" data-field="station" value={station} onChange={(event) => setStation(event.currentTarget.value)} />
        <p className={classes['sentence']}>{t('case.correct.hint')}</p>
        {correct.isError ? <ErrorNotice error={correct.error} /> : null}
        <Group justify="flex-end">
          <Button type="submit" disabled={!isReady} loading={correct.isPending}>{t('case.correct.do')}</Button>
        </Group>
      </Stack>
    </form>
  )
}

const LEAST_OUTCOME = 3

function CloseForm({ one, onDone }: FormProps) {
  const { t } = useI18n()
  const [outcome, setOutcome] = useState('')
  const close = useCaseClose(one.id)
  const isReady = outcome.trim().length >= LEAST_OUTCOME
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (isReady && !close.isPending) close.mutate({ version: one.version, outcome: outcome.trim() }, { onSuccess: onDone })
  }
  return (
    <form onSubmit={onSubmit}>
      <Stack gap="md">
        <TextInput label={t('case.close.outcome')} description={t('case.close.outcome.hint')} required maxLength={200} dir="auto" autoComplete="off" data-autofocus data-field="outcome" value={outcome} onChange={(event) => setOutcome(event.currentTarget.value)} />
        <p className={classes['sentence']}>{t('case.close.hint')}</p>
        {isReady ? null : <p className={classes['sentence']} id="outcome-fault">{t('case.close.fault')}</p>}
        {close.isError ? <ErrorNotice error={close.error} /> : null}
        <Group justify="flex-end">
          <Button type="submit" disabled={!isReady} loading={close.isPending} aria-describedby={isReady ? undefined : 'outcome-fault'}>{t('case.close')}</Button>
        </Group>
      </Stack>
    </form>
  )
}

export type CaseQuestion = 'correct' | 'close' | null

/** The two questions of a case: what the references should be, and how it ended. */
export function CaseDialogs({ one, asked, onDone }: FormProps & { asked: CaseQuestion }) {
  const { t } = useI18n()
  return (
    <>
      <Dialog opened={asked === 'correct'} onClose={onDone} title={t('case.correct.title')}>
        <CorrectForm one={one} onDone={onDone} />
      </Dialog>
      <Dialog opened={asked === 'close'} onClose={onDone} title={t('case.close')}>
        <CloseForm one={one} onDone={onDone} />
      </Dialog>
    </>
  )
}
