import { CabinetTable } from './CabinetTable'
import { CopyTable } from './CopyTable'
import { LedgerBars } from './LedgerBars'
import { LinkTable } from './LinkTable'
import { VolumeTable } from './VolumeTable'
import classes from './Store.module.css'

/** What keeps the recordings: days accounted for, disks, copies, drills; and the links that they travel on. */
export function Keeping() {
  return (
    <div className={classes['panels']}>
      <LedgerBars />
      <VolumeTable />
      <CopyTable />
      <LinkTable />
      <CabinetTable />
    </div>
  )
}
