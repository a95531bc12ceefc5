import type { CameraState } from '../api/wire'
import { useI18n } from '../i18n/i18n'
import { StateShape } from './StateShape'
import classes from './StateBadge.module.css'

/** A camera's state: colour, shape and word together, so that none of them carries it alone. */
export function StateBadge({ state, compact = false }: { state: CameraState; compact?: boolean }) {
  const { t } = useI18n()
  const word = t(`state.${state}`)
  return (
    <span className={classes['badge']} data-state={state}>
      <StateShape state={state} title={compact ? word : undefined} />
      {compact ? null : <span>{word}</span>}
    </span>
  )
}
