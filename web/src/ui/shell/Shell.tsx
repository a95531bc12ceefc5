import { useEffect, useState, type ReactNode } from 'react'
import { useLocation, useNavigate } from 'react-router'
import type { Session } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys, type KeyCommand } from '../../lib/keys'
import { useAlertNews } from './alertNews'
import { KeysDialog } from './KeysDialog'
import { LinkStrip } from './LinkStrip'
import type { PageEntry } from './page'
import { Rail } from './Rail'
import { ShiftStrip } from './ShiftStrip'
import { TopBar } from './TopBar'
import classes from './Shell.module.css'

interface ShellProps {
  pages: readonly PageEntry[]
  session: Session
  children: ReactNode
}

/** The frame around every page: bar above, rail beside (below on a phone), notices that concern the whole page. */
export function Shell({ pages, session, children }: ShellProps) {
  const { t, language, setLanguage } = useI18n()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const [keysShown, setKeysShown] = useState(false)
  const here = pages.find((page) => pathname.startsWith(page.path))
  const { waiting, newest } = useAlertNews()

  const goTo = pages.flatMap((page, index): KeyCommand[] => {
    const run = () => void navigate(page.path)
    return [
      { chord: String(index + 1), label: t(page.label), run, global: true },
      { chord: `g ${page.letter}`, label: t(page.label), run, global: true },
    ]
  })
  useKeys([
    ...goTo,
    { chord: '?', label: t('shell.keys.help'), run: () => setKeysShown(true), global: true },
    { chord: 'u', label: t('shell.keys.language'), run: () => setLanguage(language === 'en' ? 'ur' : 'en'), global: true },
  ])

  useEffect(() => {
    const place = here === undefined ? t('shell.app') : `${t(here.label)} · ${t('shell.app')}`
    document.title = waiting > 0 ? `(${waiting}) ${place}` : place
  }, [here, t, waiting])

  return (
    <div className={classes['shell']}>
      <a href="#page" className={`sc-hidden ${classes['skip']}`}>
        {t('shell.skip')}
      </a>
      <TopBar session={session} onKeys={() => setKeysShown(true)} />
      <Rail pages={pages} counts={waiting > 0 ? { '/queue': waiting } : {}} />
      <div className={classes['column']}>
        <LinkStrip />
        <ShiftStrip session={session} />
        <main id="page" tabIndex={-1} className={classes['page']}>
          {children}
        </main>
      </div>
      <p className="sc-hidden" role="status" aria-live="assertive" data-testid="alert-news">
        {newest === null ? '' : t('shell.alert.new', { priority: newest.priority, title: language === 'ur' && newest.title_ur !== '' ? newest.title_ur : newest.title })}
      </p>
      <KeysDialog opened={keysShown} onClose={() => setKeysShown(false)} />
    </div>
  )
}
