/** Keeps the live state's connection: snapshot, stream, resume by cursor, back-off with jitter. */
import { ApiError } from './client'
import { applyAll, EventParser, type LiveEvent } from './live'
import type { StateSnapshot } from './wire'

export type LinkState = 'connecting' | 'open' | 'lost' | 'closed'

export interface LinkPort {
  snapshot: (signal: AbortSignal) => Promise<StateSnapshot>
  /** Opens the stream; rejects with ApiError where the server refuses. */
  stream: (after: number, signal: AbortSignal) => Promise<AsyncIterable<string>>
  /** `events` led from the state before to this one; null where it was fetched anew. */
  onState: (state: StateSnapshot, events: readonly LiveEvent[] | null) => void
  onLink: (link: LinkState) => void
  onSignedOut: () => void
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  random: () => number
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
/** The server speaks at least each 15 s; three times that without a byte is a dead connection. */
export const SILENT_MS = 45_000

export function backOffMs(failures: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10))
  return full / 2 + (full / 2) * random
}

/** The server no longer has the events after our cursor, or does not know it. */
const isStale = (error: unknown): boolean => error instanceof ApiError && [400, 404, 409, 410, 422].includes(error.status)
const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401

/** Runs until the signal aborts or the session ends. */
export async function keepLive(port: LinkPort, signal: AbortSignal): Promise<void> {
  let state: StateSnapshot | null = null
  let failures = 0
  port.onLink('connecting')
  while (!signal.aborted) {
    try {
      if (state === null) {
        state = await port.snapshot(signal)
        port.onState(state, null)
      }
      const parser = new EventParser()
      const chunks = await port.stream(state.cursor, signal)
      port.onLink('open')
      failures = 0
      for await (const chunk of chunks) {
        const events = parser.feed(chunk)
        if (events.length === 0) continue
        state = applyAll(state, events)
        port.onState(state, events)
      }
    } catch (error) {
      if (signal.aborted) break
      if (isSignedOut(error)) {
        port.onSignedOut()
        break
      }
      if (isStale(error)) state = null
    }
    if (signal.aborted) break
    port.onLink(failures === 0 ? 'connecting' : 'lost')
    await port.wait(backOffMs(failures, port.random()), signal)
    failures += 1
  }
  port.onLink('closed')
}

/** Text of the stream as it arrives, ending (by an error) where the server falls silent. */
export async function* textOf(response: Response, signal: AbortSignal): AsyncIterable<string> {
  if (response.body === null) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    while (!signal.aborted) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('The event stream fell silent')), SILENT_MS)
      })
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer))
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
