import type { Case } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { Icon } from '../../ui/Icon'
import classes from './Cases.module.css'

/** Open or closed, by sign and word. */
export function CaseState({ state }: { state: Case['state'] }) {
  const { t } = useI18n()
  return (
    <span className={classes['state']} data-state={state}>
      <Icon name={state === 'open' ? 'case' : 'check'} size={16} /> {t(`case.${state}`)}
    </span>
  )
}
