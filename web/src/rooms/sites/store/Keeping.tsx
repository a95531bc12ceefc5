import { CabinetTable } from './CabinetTable'
import { CopyTable } from './CopyTable'
import { LinkTable } from './LinkTable'
import classes from './Store.module.css'

/** What keeps the recordings: disks, copies, drills, back-ups; and the links that they travel on. */
export function Keeping() {
  return (
    <div className={classes['panels']}>
      <CopyTable />
      <LinkTable />
      <CabinetTable />
    </div>
  )
}
