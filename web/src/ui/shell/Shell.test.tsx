import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { MemoryRouter, Route, Routes } from 'react-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keys } from '../../api/queries'
import type { Session } from '../../api/wire'
import { I18nProvider } from '../../i18n/i18n'
import { KeyProvider } from '../../lib/keys'
import type { PageEntry } from './page'
import { Shell } from './Shell'

const session: Session = {
  user: 'sana', user_id: 'usr_1', display_name: 'Sana Baloch', role: 'operator', acts: ['view_live', 'list_cameras', 'start_shift'], shift: null, expires_at: '2030-01-01T00:00:00Z',
}
const pages: readonly PageEntry[] = [
  { path: '/map', label: 'map.title', icon: 'map', letter: 'm', act: 'list_cameras' },
  { path: '/wall', label: 'video.wall', icon: 'wall', letter: 'w', act: 'view_live' },
]

function show() {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false, refetchInterval: false } } })
  client.setQueryData(keys.session, session)
  client.setQueryData(keys.config, { name: 'SafeCity · Quetta', name_ur: 'سیف سٹی · کوئٹہ', time_zone: 'Asia/Karachi', gateway: '', map: { center: [67, 30], zoom: 11 }, demo: true, version: '0' })
  client.setQueryData(keys.health, { status: 'degraded', cameras: { total: 3, live: 2 }, recorded_s: 0, segments: 0 })
  render(
    <I18nProvider>
      <MantineProvider forceColorScheme="dark">
        <QueryClientProvider client={client}>
          <KeyProvider>
            <MemoryRouter initialEntries={['/map']}>
              <Shell pages={pages} session={session}>
                <Routes>
                  <Route path="/map" element={<input aria-label="search" />} />
                  <Route path="/wall" element={<p>the wall</p>} />
                </Routes>
              </Shell>
            </MemoryRouter>
          </KeyProvider>
        </QueryClientProvider>
      </MantineProvider>
    </I18nProvider>,
  )
}

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined, addListener: () => undefined, removeListener: () => undefined }))
  vi.stubGlobal('ResizeObserver', class { observe() {} unobserve() {} disconnect() {} })
  window.localStorage.clear()
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

describe('Shell', () => {
  it('changes pages by number and by g-then-letter', () => {
    show()
    fireEvent.keyDown(document.body, { key: '2' })
    expect(screen.getByText('the wall')).toBeTruthy()
    fireEvent.keyDown(document.body, { key: 'g' })
    fireEvent.keyDown(document.body, { key: 'm' })
    expect(screen.queryByText('the wall')).toBeNull()
  })

  it('leaves keys to the field that somebody types in', () => {
    show()
    fireEvent.keyDown(screen.getByLabelText('search'), { key: '2' })
    expect(screen.queryByText('the wall')).toBeNull()
  })

  it('says that no picture opens before the shift', () => {
    show()
    expect(screen.getByText(/You are not on shift/)).toBeTruthy()
    expect(screen.getByRole('button', { name: 'Start shift' })).toBeTruthy()
  })

  it('turns to Urdu and right-to-left', () => {
    show()
    expect(document.documentElement.dir).toBe('ltr')
    fireEvent.click(screen.getByRole('button', { name: 'Show the page in Urdu' }))
    expect(document.documentElement.dir).toBe('rtl')
    expect(document.documentElement.lang).toBe('ur')
    expect(screen.getByText('ڈیوٹی شروع کریں')).toBeTruthy()
  })

  it('shows how many cameras are live, and the keys on "?"', async () => {
    show()
    expect(screen.getByTestId('live-count').textContent).toContain('2 / 3')
    fireEvent.keyDown(document.body, { key: '?' })
    expect(await screen.findByText('Keyboard')).toBeTruthy()
  })
})
