import { lazy, Suspense } from 'react'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { BrowserRouter, Route, Routes } from 'react-router'
import { I18nProvider } from '../i18n/i18n'
import { KeyProvider } from '../lib/keys'
import { cssVariables, theme } from '../ui/theme'

const WallPage = lazy(() => import('../rooms/video/WallPage'))
const PlaybackPage = lazy(() => import('../rooms/video/PlaybackPage'))

const queries = new QueryClient()

export function App() {
  return (
    <I18nProvider>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme="dark">
        <QueryClientProvider client={queries}>
          <KeyProvider>
            <BrowserRouter>
              <Suspense fallback={null}>
                <Routes>
                  <Route path="/wall" element={<WallPage />} />
                  <Route path="/playback" element={<PlaybackPage />} />
                </Routes>
              </Suspense>
            </BrowserRouter>
          </KeyProvider>
        </QueryClientProvider>
      </MantineProvider>
    </I18nProvider>
  )
}
