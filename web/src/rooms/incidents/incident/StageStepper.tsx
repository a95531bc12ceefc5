import { Fragment } from 'react'
import type { IncidentStage } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Icon } from '../../../ui/Icon'
import { STAGES } from './next'
import classes from './Head.module.css'

/** How far it has got: done with a tick, the present one filled, the rest to come. */
export function StageStepper({ stage }: { stage: IncidentStage }) {
  const { t } = useI18n()
  const now = STAGES.indexOf(stage)
  return (
    <ol className={classes['stepper']} aria-label={t('incident.stage')} data-stage={stage}>
      {STAGES.map((one, index) => {
        const state = index < now || stage === 'closed' ? 'done' : index === now ? 'now' : 'ahead'
        return (
          <Fragment key={one}>
            {index > 0 ? <li aria-hidden="true" className={classes['between']} data-state={index <= now ? 'done' : 'ahead'} /> : null}
            <li className={classes['stage']} data-state={state} aria-current={index === now ? 'step' : undefined}>
              <span className={classes['dot']}>{state === 'done' ? <Icon name="check" size={12} /> : null}</span>
              {t(`stage.${one}`)}
            </li>
          </Fragment>
        )
      })}
    </ol>
  )
}
