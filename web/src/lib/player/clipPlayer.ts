/**
 * Plays one short recorded stretch over and over: one look (one line in the log), its windows fetched once, all of it
 * kept in the browser. What is not written yet is waited for; what was never recorded is jumped over. Times: epoch ms.
 */
import type { Interval } from './intervals'
import { PlaybackScreen } from './playbackScreen'
import type { Look, PlaybackSource } from './playbackSource'

export type ClipStatus = 'loading' | 'playing' | 'paused' | 'nothing' | 'denied' | 'failed'

export interface ClipView {
  readonly status: ClipStatus
  readonly error: unknown
  /** Where the playhead stands. */
  readonly at: number
}

export const CLIP_TICK_MS = 100
const WINDOW_S = 10
/** A clip longer than this is cut around its picture: what an operator decides by is short. */
export const LONGEST_MS = 30_000
const BEFORE_PICTURE_MS = 8_000
/** What has just happened is durable about two seconds later; after this long it will not come any more. */
const WAIT_FOR_MORE_MS = 1_000
const WAITS = 20
/** How long the playhead may stand still inside the clip before it jumps on. */
const STUCK_MS = 1_500

/** The stretch to show of an alert's clip. */
export function loopOf(clip: Interval, pictureAt: number): Interval {
  if (clip.to - clip.from <= LONGEST_MS) return clip
  const from = Math.min(Math.max(clip.from, pictureAt - BEFORE_PICTURE_MS), clip.to - LONGEST_MS)
  return { from, to: from + LONGEST_MS }
}

export class ClipPlayer {
  view: ClipView
  private readonly screen: PlaybackScreen
  private readonly ticker: ReturnType<typeof setInterval>
  private readonly over = new AbortController()
  private isPlaying = true
  /** The end of what is fetched; `to` once all is. */
  private fetchedTo: number
  private isBegun = false
  private stood = { at: 0, since: 0 }

  constructor(
    video: HTMLVideoElement,
    private readonly source: PlaybackSource,
    private readonly clip: Interval,
    private readonly onView: (view: ClipView) => void,
  ) {
    this.view = { status: 'loading', error: null, at: clip.from }
    this.fetchedTo = clip.from
    this.screen = new PlaybackScreen(video, { onIdle: () => this.begin(), onBroken: (error) => this.end('failed', error) })
    this.ticker = setInterval(() => this.tick(), CLIP_TICK_MS)
    void this.load()
  }

  toggle(): void {
    if (!this.isBegun) return
    this.isPlaying = !this.isPlaying
    if (this.isPlaying) this.screen.play(1)
    else this.screen.pause()
    this.set({ status: this.isPlaying ? 'playing' : 'paused' })
  }

  destroy(): void {
    clearInterval(this.ticker)
    this.over.abort()
    this.screen.destroy()
  }

  private set(change: Partial<ClipView>): void {
    this.view = { ...this.view, ...change }
    this.onView(this.view)
  }

  private end(status: ClipStatus, error: unknown): void {
    this.over.abort()
    this.screen.pause()
    this.set({ status, error })
  }

  private async load(): Promise<void> {
    const { signal } = this.over
    const answer = await this.source.openLook(this.clip, signal)
    if (signal.aborted) return
    if (answer.kind === 'refused') return this.end(answer.isDenied ? 'denied' : 'failed', answer.error)
    this.screen.clear(answer.look.from)
    let waits = 0
    while (this.fetchedTo < this.clip.to && waits <= WAITS) {
      const isMore = await this.fetchNext(answer.look, signal)
      if (signal.aborted) return
      if (isMore) continue
      waits += 1
      await new Promise((resolve) => setTimeout(resolve, WAIT_FOR_MORE_MS))
    }
    if (!this.isBegun && !signal.aborted && this.screen.pictures.length === 0) this.end('nothing', null)
    this.fetchedTo = this.clip.to
  }

  /** False where there is nothing new yet. */
  private async fetchNext(look: Look, signal: AbortSignal): Promise<boolean> {
    const seconds = Math.max(1, Math.min(WINDOW_S, Math.ceil((this.clip.to - this.fetchedTo) / 1000)))
    const answer = await this.source.fetchWindow(look, { at: this.fetchedTo, seconds, frames: 'all' }, signal)
    if (signal.aborted) return false
    const before = this.fetchedTo
    if (answer.kind === 'refused') this.end(answer.isDenied ? 'denied' : 'failed', answer.error)
    else if (answer.kind === 'gone') this.end('failed', new Error('The gateway no longer knows this look'))
    else if (answer.kind === 'nothing') this.fetchedTo = Math.max(before, answer.nextAt ?? before)
    else {
      try {
        const held = this.screen.append(answer.bytes, look.from)
        this.fetchedTo = Math.max(before, held?.to ?? before, answer.nextAt ?? before)
      } catch (error) {
        this.end('failed', error)
      }
    }
    return this.fetchedTo > before + 50
  }

  private begin(): void {
    if (this.isBegun || this.screen.listBuffered().length === 0) return
    this.isBegun = true
    this.restart()
    this.set({ status: 'playing' })
  }

  private restart(): void {
    const first = this.screen.listBuffered().find((one) => one.to > this.clip.from)
    if (first === undefined) return
    this.screen.show(Math.max(this.clip.from, first.from))
    this.stood = { at: 0, since: Date.now() }
    if (this.isPlaying) this.screen.play(1)
  }

  private tick(): void {
    if (!this.isBegun || !this.isPlaying || this.over.signal.aborted) return
    const { at } = this.screen
    if (Math.abs(at - this.stood.at) >= 1) this.stood = { at, since: Date.now() }
    if (at !== this.view.at) this.set({ at })
    if (at >= this.clip.to) this.restart()
    else if (Date.now() - this.stood.since > STUCK_MS) this.leaveHole(at)
    else this.screen.play(1)
  }

  /** Past a hole to the next pictures of the clip, or from its end back to its beginning. */
  private leaveHole(at: number): void {
    const next = this.screen.listBuffered().find((one) => one.from > at && one.from < this.clip.to)
    if (next !== undefined) this.screen.show(next.from)
    else if (this.fetchedTo >= this.clip.to) this.restart()
    this.stood = { at: 0, since: Date.now() }
  }
}
