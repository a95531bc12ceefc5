import { lazy, Suspense, type ReactNode } from 'react'
import { Loader } from '@mantine/core'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import type { Session } from '../api/wire'
import { useI18n } from '../i18n/i18n'
import { EmptyState } from '../ui/EmptyState'
import { Crash } from './Crash'
import { pages } from './pages'

const MapPage = lazy(() => import('../rooms/sites/MapPage'))
const HealthPage = lazy(() => import('../rooms/sites/HealthPage'))
const WallPage = lazy(() => import('../rooms/video/WallPage'))
const PlaybackPage = lazy(() => import('../rooms/video/PlaybackPage'))
const LogPage = lazy(() => import('../rooms/oversight/LogPage'))

const content: Record<string, ReactNode> = {
  '/map': <MapPage />,
  '/wall': <WallPage />,
  '/playback': <PlaybackPage />,
  '/health': <HealthPage />,
  '/log': <LogPage />,
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
  const home = pages.find((page) => session.acts.includes(page.act))
  return (
    <Crash key={pathname}>
      <Suspense fallback={<Loader m="xl" aria-label={t('shell.loading')} />}>
        <Routes>
          {pages.map((page) => (
            <Route key={page.path} path={page.path} element={session.acts.includes(page.act) ? content[page.path] : <Denied session={session} />} />
          ))}
          <Route path="/" element={home === undefined ? <Denied session={session} /> : <Navigate to={home.path} replace />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </Crash>
  )
}
