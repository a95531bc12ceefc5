import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { MemoryRouter } from 'react-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keys } from '../../../api/queries'
import type { IncidentDetail, Proposal } from '../../../api/wire'
import { I18nProvider } from '../../../i18n/i18n'
import { KeyProvider } from '../../../lib/keys'
import type { NextStep } from './next'
import { NextAction } from './NextAction'

const detail = { incident: { id: 'inc_1', stage: 'new', case: null }, assignments: [] } as unknown as IncidentDetail
const proposal = { unit: { id: 'unit_7', code: 'EAGLE-7' }, distance_m: 1234 } as unknown as Proposal
const SEND: NextStep = { kind: 'send', proposal }

const asked: { path: string; body: unknown }[] = []

function page(next: NextStep, onClose = vi.fn()) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  client.setQueryData(keys.session, { acts: ['list_cases'] })
  return (
    <MemoryRouter>
      <I18nProvider>
        <MantineProvider>
          <QueryClientProvider client={client}>
            <KeyProvider>
              <NextAction detail={detail} next={next} onClose={onClose} />
            </KeyProvider>
          </QueryClientProvider>
        </MantineProvider>
      </I18nProvider>
    </MemoryRouter>
  )
}

const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms))
const enter = () => fireEvent.keyDown(document.body, { key: 'Enter' })

beforeEach(() => {
  asked.length = 0
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {} }))
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push({ path: new URL(request.url).pathname, body: JSON.parse(await request.text()) })
    return Response.json({}, { status: 201 })
  })
})
afterEach(() => {
  cleanup()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('NextAction', () => {
  it('names the unit with its distance and says that the line is straight; Enter sends it', async () => {
    render(page(SEND))
    const button = screen.getByRole('button')
    expect(button.textContent?.replaceAll(/[\u2068\u2069]/g, '')).toContain('Send EAGLE-71.2 km, straight line')
    expect(button.dataset['settled']).toBe('false')
    pass(900)
    expect(button.dataset['settled']).toBe('true')
    enter()
    await vi.waitFor(() => expect(asked).toEqual([{ path: '/api/incidents/inc_1/assignments', body: { unit: 'unit_7' } }]))
  })

  it('does not run on into the next step when Enter is held', () => {
    const onClose = vi.fn()
    const { rerender } = render(page(SEND, onClose))
    pass(900)
    rerender(page({ kind: 'close', intoCase: true }, onClose))
    pass(300)
    enter()
    expect(onClose).not.toHaveBeenCalled()
    pass(600)
    enter()
    expect(onClose).toHaveBeenCalledOnce()
  })

  it('has no button where others must act, and says who', () => {
    render(page({ kind: 'role', who: 'dispatch' }))
    expect(screen.queryByRole('button')).toBeNull()
    expect(screen.getByText(/dispatcher or a supervisor/)).toBeTruthy()
    enter()
    expect(asked).toEqual([])
  })

  it('leads from a closed incident to its case', () => {
    render(page({ kind: 'closed', case: 'case_9' }))
    expect(screen.getByRole('link').getAttribute('href')).toBe('/cases/case_9')
  })
})
