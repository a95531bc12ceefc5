import { lazy, Suspense, type ReactNode } from 'react'
import { Loader } from '@mantine/core'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import type { Session } from '../api/wire'
import { useI18n } from '../i18n/i18n'
import { EmptyState } from '../ui/EmptyState'
import type { PageEntry } from '../ui/shell/page'
import { Crash } from './Crash'
import { homeOf, pages } from './pages'

const QueueScreen = lazy(() => import('./screens/QueueScreen'))
const IncidentsScreen = lazy(() => import('./screens/IncidentsScreen'))
const IncidentScreen = lazy(() => import('./screens/IncidentScreen'))
const CasesScreen = lazy(() => import('./screens/CasesScreen'))
const CaseScreen = lazy(() => import('./screens/CaseScreen'))
const MapScreen = lazy(() => import('./screens/MapScreen'))
const HealthPage = lazy(() => import('../rooms/sites/HealthPage'))
const WallScreen = lazy(() => import('./screens/WallScreen'))
const PlaybackPage = lazy(() => import('../rooms/video/PlaybackPage'))
const LogPage = lazy(() => import('../rooms/oversight/LogPage'))

const content: Record<string, ReactNode> = {
  '/queue': <QueueScreen />,
  '/incidents': <IncidentsScreen />,
  '/cases': <CasesScreen />,
  '/map': <MapScreen />,
  '/wall': <WallScreen />,
  '/playback': <PlaybackPage />,
  '/health': <HealthPage />,
  '/log': <LogPage />,
}

/** One thing of a page, under the page's path and its act. */
const details: Record<string, ReactNode> = {
  '/incidents': <IncidentScreen />,
  '/cases': <CaseScreen />,
}

function Denied({ session }: { session: Session }) {
  const { t } = useI18n()
  return (
    <EmptyState icon="shield" title={t('shell.denied.title')}>
      {t('shell.denied.do', { role: t(`role.${session.role}`) })}
    </EmptyState>
  )
}

function NotFound() {
  const { t } = useI18n()
  return <EmptyState title={t('shell.notFound.title')}>{t('shell.notFound.do')}</EmptyState>
}

export function PageRoutes({ session }: { session: Session }) {
  const { t } = useI18n()
  const { pathname } = useLocation()
  const home = homeOf(session)
  const show = (act: PageEntry['act'], what: ReactNode) => (session.acts.includes(act) ? what : <Denied session={session} />)
  return (
    <Crash key={pathname}>
      <Suspense fallback={<Loader m="xl" aria-label={t('shell.loading')} />}>
        <Routes>
          {pages.map((page) => (
            <Route key={page.path} path={page.path} element={show(page.act, content[page.path])} />
          ))}
          {pages.map(({ path, act }) => (path in details ? <Route key={`${path}/:id`} path={`${path}/:id`} element={show(act, details[path])} /> : null))}
          <Route path="/" element={home === undefined ? <Denied session={session} /> : <Navigate to={home} replace />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </Crash>
  )
}
