import { MantineProvider } from '@mantine/core'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { BrowserRouter } from 'react-router'
import { ApiError } from '../api/client'
import { keys } from '../api/queries'
import { I18nProvider } from '../i18n/i18n'
import { KeyProvider } from '../lib/keys'
import { cssVariables, theme } from '../ui/theme'
import { Crash } from './Crash'
import { Door } from './Door'

const isRefusal = (error: Error): boolean => error instanceof ApiError && error.status < 500

/** A refusal does not change by asking again; a lost link or a restarting server does. */
const TRIES = 3

function makeQueries(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) client.setQueryData(keys.session, null)
      },
    }),
    defaultOptions: {
      queries: { retry: (failures, error) => failures < TRIES && !isRefusal(error), networkMode: 'always' },
      mutations: { networkMode: 'always' },
    },
  })
  return client
}

const queries = makeQueries()

export function App() {
  return (
    <I18nProvider>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} forceColorScheme="dark">
        <QueryClientProvider client={queries}>
          <KeyProvider>
            <BrowserRouter>
              <Crash>
                <Door />
              </Crash>
            </BrowserRouter>
          </KeyProvider>
        </QueryClientProvider>
      </MantineProvider>
    </I18nProvider>
  )
}
