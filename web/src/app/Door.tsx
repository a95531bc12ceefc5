import { Loader } from '@mantine/core'
import { LiveLink } from '../api/LiveLink'
import { useSession } from '../api/queries'
import { useI18n } from '../i18n/i18n'
import SignInPage from '../rooms/oversight/SignInPage'
import { ErrorNotice } from '../ui/ErrorNotice'
import { Shell } from '../ui/shell/Shell'
import { pages } from './pages'
import { PageRoutes } from './PageRoutes'

/** Sign-in before anything else; then the shell with the pages of the person's role. */
export function Door() {
  const { t } = useI18n()
  const session = useSession()
  if (session.isPending) return <Loader m="xl" aria-label={t('shell.loading')} />
  if (session.data === null) return <SignInPage />
  if (session.data === undefined) return <ErrorNotice error={session.error} onRetry={() => void session.refetch()} />
  const { acts } = session.data
  return (
    <>
      <LiveLink key={session.data.user} />
      <Shell pages={pages.filter((page) => acts.includes(page.act))} session={session.data}>
        <PageRoutes session={session.data} />
      </Shell>
    </>
  )
}
