import { CabinetTable } from './CabinetTable'
import { LinkTable } from './LinkTable'
import classes from './Store.module.css'

/** What keeps the recordings: disks, copies, drills, back-ups; and the links that they travel on. */
export function Keeping() {
  return (
    <div className={classes['panels']}>
      <LinkTable />
      <CabinetTable />
    </div>
  )
}
