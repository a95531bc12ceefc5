import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, cleanup, configure, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { MemoryRouter, Route, Routes, useParams } from 'react-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keys } from '../../api/queries'
import { responseKeys } from '../../api/touched'
import type { Alert, Session, StateSnapshot } from '../../api/wire'
import { I18nProvider } from '../../i18n/i18n'
import { KeyProvider } from '../../lib/keys'
import QueuePage from './QueuePage'

const session: Session = {
  user: 'sana', user_id: 'usr_me', display_name: 'Sana', role: 'operator', acts: ['list_alerts', 'handle_alerts', 'view_live', 'start_shift'],
  shift: { purpose: 'pur_1', since: '2026-11-20T08:00:00Z', ends_at: '2026-11-20T20:00:00Z' }, expires_at: '2030-01-01T00:00:00Z',
}
const me = { user: 'usr_me', name: 'Sana' }
const other = { user: 'usr_2', name: 'Bilal Khan' }

function alert(id: string, over: Partial<Alert> = {}): Alert {
  return {
    id, version: 3, state: 'unacknowledged', priority: 2, kind: 'stopped_vehicle', rule: 'no-stopping', title: `Stopped ${id}`, title_ur: 'گاڑی کھڑی ہے',
    camera: 'cam_1', lon: 67, lat: 30, subject: 'zone/car', object_class: 'vehicle?', count: 1, first_at: '2026-11-20T09:59:00Z', last_at: '2026-11-20T09:59:30Z',
    picture_at: '2026-11-20T09:59:10Z', box: null, clip_from: '2026-11-20T09:58:50Z', clip_to: '2026-11-20T09:59:30Z', level: 0, offered_to: me, owner: null,
    due_at: null, closed_at: null, close_reason: null, incident: null, ...over,
  }
}

const stateOf = (...alerts: Alert[]): StateSnapshot => ({ cursor: 1, cameras: {}, incidents: {}, units: {}, alerts: Object.fromEntries(alerts.map((one) => [one.id, one])) })

function Where() {
  return <p>incident {useParams()['id']}</p>
}

// A busy machine draws slowly; what is waited for here comes or never comes.
configure({ asyncUtilTimeout: 8_000 })

let client: QueryClient
const sent: { url: string; body: unknown }[] = []
let answer: (body: { step: string }) => { status: number; body: unknown }

function show(...alerts: Alert[]) {
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } })
  client.setQueryData(keys.session, session)
  client.setQueryData(keys.config, { time_zone: 'Asia/Karachi', gateway: '' })
  client.setQueryData(keys.cameras, [{ id: 'cam_1', site: 's', name: 'Gate camera', name_ur: 'گیٹ کیمرا' }])
  client.setQueryData(keys.sites, [])
  client.setQueryData(keys.state, stateOf(...alerts))
  for (const one of alerts) client.setQueryData(responseKeys.alert(one.id), { alert: one, steps: [] })
  const slots = { thumb: (one: Alert) => <i>thumb {one.id}</i>, picture: (one: Alert) => <i>picture {one.id}</i>, live: (camera: string) => <i>live {camera}</i> }
  render(
    <I18nProvider>
      <MantineProvider forceColorScheme="dark">
        <QueryClientProvider client={client}>
          <KeyProvider>
            <MemoryRouter initialEntries={['/queue']}>
              <Routes>
                <Route path="/queue" element={<QueuePage slots={slots} />} />
                <Route path="/incidents/:id" element={<Where />} />
              </Routes>
            </MemoryRouter>
          </KeyProvider>
        </QueryClientProvider>
      </MantineProvider>
    </I18nProvider>,
  )
}

const press = (key: string) => fireEvent.keyDown(document.body, { key })
const steps = () => sent.filter(({ url }) => url.endsWith('/steps')).map(({ body }) => body)

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined, addListener: () => undefined, removeListener: () => undefined }))
  vi.stubGlobal('ResizeObserver', class { observe() {} unobserve() {} disconnect() {} })
  vi.stubGlobal('CSS', { escape: (text: string) => text })
  Element.prototype.scrollIntoView = () => undefined
  window.localStorage.clear()
  sent.length = 0
  vi.stubGlobal('fetch', async (request: Request) => {
    const body = request.method === 'POST' ? ((await request.json()) as { step: string }) : null
    sent.push({ url: request.url, body })
    const given = body === null ? { status: 404, body: {} } : answer(body)
    return new Response(JSON.stringify(given.body), { status: given.status, headers: { 'content-type': 'application/json' } })
  })
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

describe('QueuePage', { timeout: 20_000 }, () => {
  it('chooses what is offered to me, picture first, and Enter takes it', async () => {
    const mine = alert('mine', { priority: 3 })
    show(alert('theirs', { priority: 1, offered_to: other }), mine)
    expect(screen.getByText('picture mine')).toBeTruthy()
    expect(screen.getByText('live cam_1')).toBeTruthy()
    answer = () => ({ status: 200, body: { alert: { ...mine, version: 4, state: 'acknowledged', owner: me }, incident: null } })
    press('Enter')
    await waitFor(() => expect(steps()).toEqual([{ step: 'acknowledge', version: 3, reason: null, note: '' }]))
    expect(await screen.findByText('Confirm: open an incident')).toBeTruthy()
  })

  it('goes to the incident that a confirmation opens', async () => {
    const mine = alert('mine', { state: 'acknowledged', owner: me })
    show(mine)
    answer = () => ({ status: 200, body: { alert: { ...mine, version: 4, state: 'confirmed', incident: 'inc_7' }, incident: 'inc_7' } })
    press('Enter')
    expect(await screen.findByText('incident inc_7')).toBeTruthy()
  })

  it('closes with C and a digit, and goes on to the next', async () => {
    const one = alert('one')
    show(one, alert('two'))
    answer = () => ({ status: 200, body: { alert: { ...one, version: 4, state: 'closed', close_reason: 'nothing_seen' }, incident: null } })
    press('c')
    press('2')
    await waitFor(() => expect(steps()).toEqual([{ step: 'close', version: 3, reason: 'nothing_seen', note: '' }]))
    expect(await screen.findByText('picture two')).toBeTruthy()
  })

  it('shows the sentence of the server when somebody was faster, and how it stands', async () => {
    show(alert('one'))
    answer = () => ({ status: 409, body: { status: 409, kind: 'conflict', detail: 'Bilal Khan has acknowledged this alert.' } })
    press('Enter')
    expect(await screen.findByText('Bilal Khan has acknowledged this alert.')).toBeTruthy()
    act(() => void client.setQueryData(keys.state, stateOf(alert('one', { version: 4, state: 'acknowledged', owner: other }))))
    expect(await screen.findByText(/Bilal Khan.? has taken it/)).toBeTruthy()
    expect(screen.queryByText('Take it')).toBeNull()
  })

  it('keeps the chosen one under the hand when a more urgent one arrives, and moves with J and K', async () => {
    show(alert('one'), alert('two'))
    act(() => void client.setQueryData(keys.state, stateOf(alert('new', { priority: 1 }), alert('one'), alert('two'))))
    await waitFor(() => expect(screen.getAllByRole('option').map((row) => row.getAttribute('data-alert'))).toEqual(['new', 'one', 'two']))
    expect(screen.getByText('picture one')).toBeTruthy()
    press('j')
    expect(await screen.findByText('picture two')).toBeTruthy()
    press('k')
    press('k')
    expect(await screen.findByText('picture new')).toBeTruthy()
  })

  it('is calm, and says what will happen, where nothing waits', () => {
    show()
    expect(screen.getByText('All quiet')).toBeTruthy()
    expect(screen.getByText(/appears here by itself/)).toBeTruthy()
  })
})
