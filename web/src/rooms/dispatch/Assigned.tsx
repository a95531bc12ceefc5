import { Button } from '@mantine/core'
import { useAssignmentStep } from '../../api/response'
import type { Assignment, Unit } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Ltr } from '../../ui/Ltr'
import { UnitMark } from '../../ui/UnitMark'
import { useTime } from '../../ui/useTime'
import { StatusMark } from './UnitBits'
import { inOrder, progressOf, reachedAt, stepsFor } from './unitModel'
import classes from './Units.module.css'

interface AssignedProps {
  incident: string
  assignments: readonly Assignment[]
  units: readonly Unit[]
  mayStep: boolean
}

function Row({ assignment, unit, mayStep, step }: { assignment: Assignment; unit: Unit | undefined; mayStep: boolean; step: ReturnType<typeof useAssignmentStep> }) {
  const { t } = useI18n()
  const time = useTime()
  const progress = progressOf(assignment)
  const steps = mayStep ? stepsFor(assignment) : []
  return (
    <li className={classes['row']} data-assignment={assignment.id} data-progress={progress}>
      <div className={classes['who']}>
        <b><Ltr>{assignment.code}</Ltr></b> {unit === undefined ? null : <UnitMark kind={unit.kind} />}
        <small><bdi>{t('unit.sent_at', { time: time.short(assignment.sent_at) })}</bdi> <bdi>{t('unit.sent_by', { name: assignment.sent_by.name })}</bdi></small>
      </div>
      <div className={classes['far']}>
        <StatusMark status={progress} />
        <span className={classes['fix']}><Ltr>{time.clock(reachedAt(assignment))}</Ltr></span>
      </div>
      {steps.length === 0 ? null : (
        <div className={classes['steps']}>
          {steps.map((name, index) => (
            <Button key={name} size="compact-md" variant={index === 0 ? 'light' : 'default'} disabled={step.isPending} onClick={() => step.mutate({ assignment: assignment.id, step: name })} data-step={name}>
              {t(`unit.step.${name}`)}
            </Button>
          ))}
        </div>
      )}
    </li>
  )
}

/** The units that are or were on it, each with how far it has got and what can be heard of it next. */
export function Assigned({ incident, assignments, units, mayStep }: AssignedProps) {
  const { t } = useI18n()
  const step = useAssignmentStep(incident)
  if (assignments.length === 0) return <p className={classes['sentence']}>{t('unit.on_it.none')}</p>
  return (
    <>
      <ul className={classes['rows']} aria-label={t('unit.on_it')}>
        {inOrder(assignments).map((assignment) => (
          <Row key={assignment.id} assignment={assignment} unit={units.find((one) => one.id === assignment.unit)} mayStep={mayStep} step={step} />
        ))}
      </ul>
      {step.isError ? <ErrorNotice error={step.error} /> : null}
    </>
  )
}
