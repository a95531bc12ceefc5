import { NavLink } from 'react-router'
import { useI18n } from '../../i18n/i18n'
import { Icon } from '../Icon'
import type { PageEntry } from './page'
import classes from './Shell.module.css'

interface RailProps {
  pages: readonly PageEntry[]
  /** How much waits on a page, by its path. */
  counts?: Readonly<Record<string, number>>
}

const MOST_SHOWN = 99

export function Rail({ pages, counts = {} }: RailProps) {
  const { t } = useI18n()
  return (
    <nav className={classes['rail']} aria-label={t('shell.pages')}>
      {pages.map((page, index) => (
        <NavLink key={page.path} to={page.path} className={classes['entry'] ?? ''} aria-keyshortcuts={String(index + 1)}>
          <span className={classes['sign']}>
            <Icon name={page.icon} size={24} />
            {counts[page.path] === undefined ? null : (
              <b className={classes['badge']} title={t('shell.waiting')}>
                {Math.min(MOST_SHOWN, counts[page.path] ?? 0)}
                {(counts[page.path] ?? 0) > MOST_SHOWN ? '+' : ''}
              </b>
            )}
          </span>
          {t(page.label)}
        </NavLink>
      ))}
    </nav>
  )
}
