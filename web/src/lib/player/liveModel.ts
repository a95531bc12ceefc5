/**
 * What a live tile may say of itself: facts go in, one verdict comes out.
 * The rule behind it: a picture counts as live only while new pictures are seen to arrive *and* to be shown.
 * The server can only make the verdict worse, silence makes it worse by itself. All times are epoch milliseconds.
 */

export type StreamName = 'sub' | 'main'
/** This browser can't play the main stream; the sub-stream either; or there is no sub-stream to fall back to. */
export type CodecRefusal = 'codec' | 'codec_sub' | 'codec_no_sub'
export type LiveState = 'paused' | 'connecting' | 'live' | 'stalled' | 'offline' | 'denied' | 'failed'
export type LiveCause =
  | 'camera' // the server says so
  | 'silence' // nothing arrives
  | 'picture' // data arrives, no picture comes out
  | 'network' // the gateway can't be reached
  | 'busy' // too many viewers
  | 'unknown_camera'
  | 'signed_out'
  | 'refused'
  | CodecRefusal
  | 'media'

export interface Verdict {
  readonly state: LiveState
  readonly cause: LiveCause | null
  /** When this state began, where it is known. */
  readonly since: number | null
  /** A sentence from the server, shown as it is. */
  readonly reason: string | null
}

export interface LiveFacts {
  readonly isPaused: boolean
  readonly isOpen: boolean
  readonly openedAt: number | null
  readonly closedAt: number | null
  readonly closeCode: number | null
  readonly closeReason: string | null
  /** Failed tries in a row; a picture shown sets it back to 0. */
  readonly attempts: number
  readonly server: { readonly state: 'live' | 'stalled' | 'offline'; readonly since: number | null } | null
  readonly fragmentAt: number | null
  readonly firstFragmentAt: number | null
  readonly shownAt: number | null
  readonly mediaError: CodecRefusal | 'media' | null
}

export type LiveEvent =
  | { readonly type: 'paused' }
  | { readonly type: 'dialled' }
  | { readonly type: 'opened'; readonly at: number }
  | { readonly type: 'closed'; readonly at: number; readonly code: number; readonly reason: string }
  | { readonly type: 'server'; readonly state: 'live' | 'stalled' | 'offline'; readonly since: number | null }
  | { readonly type: 'fragment'; readonly at: number }
  | { readonly type: 'shown'; readonly at: number }
  /** New parameters of the stream; a camera may also change to a codec that this browser has not, and back. */
  | { readonly type: 'init'; readonly isPlayable: boolean; readonly sent?: StreamName | null; readonly asked?: StreamName }
  /** The browser could not decode what came. */
  | { readonly type: 'broken' }

/** No fragment, or no new picture, for this long is a stall whatever the server says. */
export const STALL_AFTER_MS = 2_000
/** A cold camera waits for its next key frame; after this long the wait itself is a stall. */
export const FIRST_PICTURE_WITHIN_MS = 6_000
export const TRIES_BEFORE_FAILED = 3

export const CLOSE_SIGNED_OUT = 4401
export const CLOSE_DENIED = 4403
export const CLOSE_NO_CAMERA = 4404
export const CLOSE_BUSY = 4429

const NO_PICTURES = { fragmentAt: null, firstFragmentAt: null, shownAt: null, server: null } as const

export const INITIAL_FACTS: LiveFacts = {
  isPaused: false,
  isOpen: false,
  openedAt: null,
  closedAt: null,
  closeCode: null,
  closeReason: null,
  attempts: 0,
  mediaError: null,
  ...NO_PICTURES,
}

export function reduceLive(facts: LiveFacts, event: LiveEvent): LiveFacts {
  switch (event.type) {
    case 'paused':
      return { ...INITIAL_FACTS, isPaused: true }
    case 'dialled':
      return { ...facts, isPaused: false, isOpen: false, openedAt: null, mediaError: null, ...NO_PICTURES }
    case 'opened':
      return { ...facts, isOpen: true, openedAt: event.at, closeCode: null, closeReason: null }
    case 'closed':
      return {
        ...facts,
        isOpen: false,
        closedAt: facts.closedAt !== null && facts.attempts > 0 ? facts.closedAt : (facts.shownAt ?? event.at),
        closeCode: event.code,
        closeReason: event.reason === '' ? null : event.reason,
        attempts: facts.attempts + 1,
      }
    case 'server':
      return { ...facts, server: { state: event.state, since: event.since } }
    case 'fragment':
      return { ...facts, fragmentAt: event.at, firstFragmentAt: facts.firstFragmentAt ?? event.at }
    case 'shown':
      return { ...facts, shownAt: event.at, attempts: 0, closedAt: null }
    case 'init':
      return { ...facts, mediaError: event.isPlayable ? null : refusedCodec(event.sent, event.asked), fragmentAt: null, firstFragmentAt: null, shownAt: null }
    case 'broken':
      return { ...facts, mediaError: 'media' }
  }
}

/** Who asked for the main stream can still ask for the other one; who was given the main one instead cannot. */
function refusedCodec(sent: StreamName | null | undefined, asked: StreamName | undefined): CodecRefusal {
  if (asked !== 'sub') return 'codec'
  return sent === 'main' ? 'codec_no_sub' : 'codec_sub'
}

function verdict(state: LiveState, cause: LiveCause | null, since: number | null, reason: string | null = null): Verdict {
  return { state, cause, since, reason }
}

function judgeClosed(facts: LiveFacts): Verdict {
  switch (facts.closeCode) {
    case CLOSE_SIGNED_OUT:
      return verdict('denied', 'signed_out', facts.closedAt, facts.closeReason)
    case CLOSE_DENIED:
      return verdict('denied', 'refused', facts.closedAt, facts.closeReason)
    case CLOSE_NO_CAMERA:
      return verdict('failed', 'unknown_camera', facts.closedAt, facts.closeReason)
    case CLOSE_BUSY:
      return verdict('failed', 'busy', facts.closedAt, facts.closeReason)
  }
  if (facts.attempts >= TRIES_BEFORE_FAILED) return verdict('failed', 'network', facts.closedAt, facts.closeReason)
  return verdict('connecting', facts.attempts > 0 ? 'network' : null, facts.closedAt)
}

function judgeOpen(facts: LiveFacts, now: number): Verdict {
  if (facts.server !== null && facts.server.state !== 'live') {
    const since = facts.server.since === null ? facts.fragmentAt : Math.min(facts.server.since, now)
    return verdict(facts.server.state, 'camera', since)
  }
  const opened = facts.openedAt ?? now
  if (facts.fragmentAt === null) {
    return now - opened > FIRST_PICTURE_WITHIN_MS ? verdict('stalled', 'silence', opened) : verdict('connecting', null, null)
  }
  if (now - facts.fragmentAt > STALL_AFTER_MS) return verdict('stalled', 'silence', facts.fragmentAt)
  if (facts.shownAt === null) {
    const first = facts.firstFragmentAt ?? now
    return now - first > FIRST_PICTURE_WITHIN_MS ? verdict('stalled', 'picture', first) : verdict('connecting', null, null)
  }
  if (now - facts.shownAt > STALL_AFTER_MS) return verdict('stalled', 'picture', facts.shownAt)
  return verdict('live', null, null)
}

/** The verdict of these facts at this instant. */
export function judgeLive(facts: LiveFacts, now: number): Verdict {
  if (facts.isPaused) return verdict('paused', null, null)
  if (facts.mediaError !== null) return verdict('failed', facts.mediaError, null)
  return facts.isOpen ? judgeOpen(facts, now) : judgeClosed(facts)
}

/** Whether trying again by itself makes sense: not after a refusal or an unknown camera. */
export function mayRetry(facts: LiveFacts): boolean {
  const isFinal = [CLOSE_SIGNED_OUT, CLOSE_DENIED, CLOSE_NO_CAMERA].includes(facts.closeCode ?? 0)
  return !facts.isPaused && !isFinal
}

export function isSameVerdict(a: Verdict, b: Verdict): boolean {
  return a.state === b.state && a.cause === b.cause && a.since === b.since && a.reason === b.reason
}
