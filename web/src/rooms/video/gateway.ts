/** The gateway's playback and export over HTTP, as the page uses them. */
import { useQuery } from '@tanstack/react-query'
import { ApiError, call, LinkError } from '../../api/client'
import type { Gap, Problem, Timeline } from '../../api/wire'
import type { Interval } from '../../lib/player/intervals'
import type { StreamName } from '../../lib/player/liveModel'
import type { Frames } from '../../lib/player/plan'
import type { Look, LookAnswer, PlaybackSource, Refusal, WindowAnswer } from '../../lib/player/playbackSource'

export interface CauseGap extends Interval {
  readonly cause: Gap['cause']
}

/** Filled in from the site's own recorder or the camera's card. */
export interface RecoveredSpan extends Interval {
  readonly source: 'edge' | 'card'
}

export interface Recorded {
  readonly recorded: readonly Interval[]
  readonly missing: readonly CauseGap[]
  /** Parts of `recorded` that were filled in afterwards. */
  readonly recovered: readonly RecoveredSpan[]
}

export interface ExportResult {
  export: string
  file: string
  bytes: number
  sha256: string
  from: string
  to: string
  sheet: string
  clip: string
}

const MAX_WINDOW_BYTES = 200 * 1024 * 1024
const NOTHING_RECORDED = 'playback.nothing_recorded'
const TIMELINE_EVERY_MS = 10_000

const iso = (at: number): string => new Date(at).toISOString()
const instant = (text: string | null | undefined): number | null => {
  const at = Date.parse(text ?? '')
  return Number.isNaN(at) ? null : at
}

function refuse(error: unknown): Refusal {
  const isDenied = error instanceof ApiError && (error.status === 401 || error.status === 403)
  return { kind: 'refused', isDenied, error }
}

interface Recording {
  readonly camera: string
  readonly stream: StreamName
}

async function openLook(gateway: string, { camera, stream }: Recording, interval: Interval, signal: AbortSignal): Promise<LookAnswer> {
  try {
    const body = { camera, stream, from: iso(interval.from), to: iso(interval.to), rendition: 'clear' }
    const answer = await call<{ look: string; from: string; to: string }>(`${gateway}/media/playback`, { method: 'POST', body, signal })
    const look: Look = { id: answer.look, from: instant(answer.from) ?? interval.from, to: instant(answer.to) ?? interval.to }
    return { kind: 'look', look }
  } catch (error) {
    return refuse(error)
  }
}

async function readRefusal(response: Response): Promise<WindowAnswer> {
  const problem = (await response.json().catch(() => ({ title: response.statusText }))) as Problem & { next?: string | null }
  if (problem.code === NOTHING_RECORDED || 'next' in problem) return { kind: 'nothing', nextAt: instant(problem.next) }
  if (response.status === 404 || response.status === 410) return { kind: 'gone' }
  return refuse(new ApiError(response.status, problem))
}

async function fetchWindow(gateway: string, look: Look, ask: { at: number; seconds: number; frames: Frames }, signal: AbortSignal): Promise<WindowAnswer> {
  const query = new URLSearchParams({ at: iso(ask.at), seconds: String(ask.seconds), frames: ask.frames })
  try {
    const response = await fetch(`${gateway}/media/playback/${encodeURIComponent(look.id)}?${query}`, { credentials: 'include', signal })
    if (!response.ok) return await readRefusal(response)
    if (Number(response.headers.get('content-length')) > MAX_WINDOW_BYTES) return refuse(new Error('The window is too large'))
    return { kind: 'media', bytes: new Uint8Array(await response.arrayBuffer()), nextAt: instant(response.headers.get('x-next')) }
  } catch (error) {
    return refuse(new LinkError(error))
  }
}

export function playbackSource(gateway: string, camera: string, stream: StreamName = 'main'): PlaybackSource {
  return {
    openLook: (interval, signal) => openLook(gateway, { camera, stream }, interval, signal),
    fetchWindow: (look, ask, signal) => fetchWindow(gateway, look, ask, signal),
  }
}

const toIntervals = <T extends { from: string; to: string }>(spans: readonly T[]) =>
  spans.map((span) => ({ ...span, from: Date.parse(span.from), to: Date.parse(span.to) }))

async function fetchTimeline(camera: string, window: Interval, signal: AbortSignal): Promise<Recorded> {
  const query = new URLSearchParams({ from: iso(window.from), to: iso(Math.min(window.to, Date.now())) })
  const answer = await call<Timeline>(`/api/cameras/${encodeURIComponent(camera)}/timeline?${query}`, { signal })
  return { recorded: toIntervals(answer.recorded), missing: toIntervals(answer.missing), recovered: toIntervals(answer.recovered) }
}

/** What is recorded of a camera in a stretch, and what is missing with its cause; renewed while it reaches into now. */
export function useTimeline(camera: string | null, window: Interval) {
  return useQuery({
    queryKey: ['timeline', camera, window.from, window.to],
    queryFn: ({ signal }) => fetchTimeline(camera ?? '', window, signal),
    enabled: camera !== null && window.from < Date.now(),
    placeholderData: (previous, query) => (query?.queryKey[1] === camera ? previous : undefined),
    // A month is forty thousand files: what is new in it shows a minute later.
    refetchInterval: window.to > Date.now() ? Math.max(TIMELINE_EVERY_MS, (window.to - window.from) / 60_000) : false,
  })
}

/** An hour of video is read, hashed and written before the answer comes. */
const EXPORT_WITHIN_MS = 15 * 60_000

/** Where the files of an export lie, while they are kept. */
export function exportAddresses(exported: string): Pick<ExportResult, 'clip' | 'sheet'> {
  const folder = `/media/exports/${encodeURIComponent(exported)}`
  return { clip: `${folder}/clip.mp4`, sheet: `${folder}/sheet.json` }
}

export function exportClip(gateway: string, camera: string, range: Interval, reason: string): Promise<ExportResult> {
  const body = { camera, from: iso(range.from), to: iso(range.to), reason: reason.trim() }
  return call<ExportResult>(`${gateway}/media/exports`, { method: 'POST', body, withinMs: EXPORT_WITHIN_MS })
}

/** The clip's bytes as the gateway gives them now, for checking. */
export async function fetchClip(address: string, onBytes: (received: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(address, { credentials: 'include' })
  if (!response.ok || response.body === null) throw new ApiError(response.status, { status: response.status, title: response.statusText })
  const parts: Uint8Array[] = []
  let received = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    received += value.length
    onBytes(received)
  }
  const whole = new Uint8Array(received)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
