import { NavLink } from 'react-router'
import { useI18n } from '../../i18n/i18n'
import { Icon } from '../Icon'
import type { PageEntry } from './page'
import classes from './Shell.module.css'

export function Rail({ pages }: { pages: readonly PageEntry[] }) {
  const { t } = useI18n()
  return (
    <nav className={classes['rail']} aria-label={t('shell.pages')}>
      {pages.map((page, index) => (
        <NavLink key={page.path} to={page.path} className={classes['entry'] ?? ''} aria-keyshortcuts={String(index + 1)}>
          <Icon name={page.icon} size={24} />
          {t(page.label)}
        </NavLink>
      ))}
    </nav>
  )
}
