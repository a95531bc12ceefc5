import { useId, type ReactNode } from 'react'
import classes from './Panel.module.css'

interface PanelProps {
  title: ReactNode
  /** At the end of the title's line. */
  aside?: ReactNode
  children: ReactNode
  /** Takes the height its parent leaves, and scrolls inside. */
  fill?: boolean
}

export function Panel({ title, aside, children, fill = false }: PanelProps) {
  const id = useId()
  return (
    <section className={classes['panel']} data-fill={fill || undefined} aria-labelledby={id}>
      <header className={classes['head']}>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      <div className={classes['body']}>{children}</div>
    </section>
  )
}
