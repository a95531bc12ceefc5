/** Where playback gets its looks and windows from: a port, so that the player can be tested without a server. */
import type { Interval } from './intervals'
import type { Frames } from './plan'

export interface Look {
  readonly id: string
  readonly from: number
  readonly to: number
}

export type Refusal = { readonly kind: 'refused'; readonly isDenied: boolean; readonly error: unknown }
export type LookAnswer = { readonly kind: 'look'; readonly look: Look } | Refusal
export type WindowAnswer =
  /** `nextAt` is the start of the next recorded data where a gap follows. */
  | { readonly kind: 'media'; readonly bytes: Uint8Array<ArrayBuffer>; readonly nextAt: number | null }
  | { readonly kind: 'nothing'; readonly nextAt: number | null }
  /** The gateway no longer knows the look (it was restarted): ask anew. */
  | { readonly kind: 'gone' }
  | Refusal

export interface PlaybackSource {
  openLook(interval: Interval, signal: AbortSignal): Promise<LookAnswer>
  fetchWindow(look: Look, ask: { at: number; seconds: number; frames: Frames }, signal: AbortSignal): Promise<WindowAnswer>
}
