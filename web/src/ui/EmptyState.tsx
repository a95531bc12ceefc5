import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'
import classes from './Notice.module.css'

interface EmptyStateProps {
  icon?: IconName
  title: string
  /** What the person can do about it. */
  children?: ReactNode
  action?: ReactNode
}

/** Nothing to show is said, with what to do about it. */
export function EmptyState({ icon = 'search', title, children, action }: EmptyStateProps) {
  return (
    <div className={classes['empty']}>
      <Icon name={icon} size={32} />
      <p className={classes['title']}>{title}</p>
      {children === undefined ? null : <div className={classes['detail']}>{children}</div>}
      {action}
    </div>
  )
}
