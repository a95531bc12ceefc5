/** Mounted once while somebody is signed in: keeps the live state in the query cache and tells how the link is. */
import { useEffect, useSyncExternalStore } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { api, ApiError, bodyOf } from './client'
import { keepLive, textOf, type LinkState } from './link'
import { keys } from './queries'
import { ALL_TOUCHABLE, touchedKeys } from './touched'
import type { StateSnapshot } from './wire'

export interface LinkNews {
  link: LinkState
  /** When the link last stood, epoch milliseconds; null before the first time. */
  stoodAt: number | null
}

let news: LinkNews = { link: 'closed', stoodAt: null }
const listeners = new Set<() => void>()

function tell(link: LinkState): void {
  if (link === news.link) return
  const stood = link === 'open' || news.link === 'open'
  news = { link, stoodAt: stood ? Date.now() : news.stoodAt }
  for (const listener of listeners) listener()
}

export function useLink(): LinkNews {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => news,
  )
}

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })

async function stream(after: number, signal: AbortSignal): Promise<AsyncIterable<string>> {
  const response = await fetch(`/api/events/stream?after=${after}`, {
    credentials: 'include',
    headers: { accept: 'text/event-stream' },
    signal,
  })
  if (!response.ok) throw new ApiError(response.status, { status: response.status, title: response.statusText })
  return textOf(response, signal)
}

export function LiveLink() {
  const client = useQueryClient()
  useEffect(() => {
    const over = new AbortController()
    void keepLive(
      {
        snapshot: (signal) => bodyOf(api.GET('/api/state', { signal })) as Promise<StateSnapshot>,
        stream,
        onState: (state, events) => {
          const before = client.getQueryData<StateSnapshot>(keys.state)
          client.setQueryData(keys.state, state)
          const old = events === null ? ALL_TOUCHABLE : touchedKeys(events, before)
          for (const queryKey of old) void client.invalidateQueries({ queryKey })
        },
        onLink: tell,
        onSignedOut: () => client.setQueryData(keys.session, null),
        wait,
        random: Math.random,
      },
      over.signal,
    )
    return () => over.abort()
  }, [client])
  return null
}
