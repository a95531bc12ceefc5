/**
 * Plays recordings by the instant: asks for looks, fetches windows ahead, jumps over holes, steps picture by picture.
 * What to do next is decided in plan.ts; this class holds the state and carries it out. All times are epoch ms.
 */
import { Coverage } from './coverage'
import type { Interval } from './intervals'
import { findJump, findStep, framesAt, KEEP_BEHIND_MS, planNext, type Rate } from './plan'
import { PlaybackScreen } from './playbackScreen'
import type { Look, PlaybackSource, WindowAnswer } from './playbackSource'
import { WindowLoader } from './windowLoader'

export type PlaybackStatus = 'loading' | 'ready' | 'gap' | 'end' | 'denied' | 'failed'

export interface PlaybackView {
  readonly status: PlaybackStatus
  readonly error: unknown
  readonly isPlaying: boolean
  readonly rate: Rate
  /** Where the playhead stands. */
  readonly at: number
  /** When the picture on the screen was taken; null where the screen shows none for this instant. */
  readonly pictureAt: number | null
  /** The hole that was jumped over last, with when that happened. */
  readonly jumped: (Interval & { readonly noticedAt: number }) | null
  /** The hole the playhead stands in. */
  readonly gap: Interval | null
}

export const TICK_MS = 100
const STUCK_AFTER_MS = 700
/** A picture further from the playhead than this is not a picture of that instant (key frames come some seconds apart). */
const PICTURE_HOLDS_MS = 12_000
/** Surely inside the picture before: more than the gateway's rounding, less than a picture at 60 a second. */
const BEFORE_MS = 12
/** So close to the end of a look an empty answer means "not written yet", not a hole. */
const EDGE_OF_NOW_MS = 15_000

export class PlaybackPlayer {
  view: PlaybackView
  private readonly screen: PlaybackScreen
  private readonly coverage = new Coverage()
  private readonly ticker: ReturnType<typeof setInterval>
  private readonly loader: WindowLoader
  /** The instant to show as soon as its picture is there; null while the video element leads. */
  private wanted: number | null
  private isScrubbing = false
  private stood = { at: 0, since: 0 }

  constructor(
    video: HTMLVideoElement,
    source: PlaybackSource,
    at: number,
    private readonly onView: (view: PlaybackView) => void,
  ) {
    this.wanted = at
    this.view = { status: 'loading', error: null, isPlaying: false, rate: 1, at, pictureAt: null, jumped: null, gap: null }
    this.screen = new PlaybackScreen(video, {
      onIdle: () => this.showWanted(),
      onBroken: (error) => this.fail(error, false),
    })
    this.loader = new WindowLoader(source, {
      onLook: (look) => {
        if (this.wanted !== null) this.screen.clear(look.from)
      },
      onWindow: (answer, plan, look) => this.take(answer, plan.at, look),
      onRefused: (error, isDenied) => this.fail(error, isDenied),
    })
    this.ticker = setInterval(() => this.tick(), TICK_MS)
    this.tick()
  }

  play(): void {
    this.set({ isPlaying: true })
    if (this.view.gap !== null) this.skipGap()
    this.tick()
  }

  pause(): void {
    this.screen.pause()
    this.set({ isPlaying: false })
  }

  setRate(rate: Rate): void {
    const isNewMode = framesAt(rate) !== framesAt(this.view.rate)
    this.set({ rate })
    if (isNewMode) this.reload(this.view.at)
    this.tick()
  }

  /** Goes to an instant; while scrubbing only short windows are fetched. Also the way out of a failure. */
  seek(at: number, isScrubbing = false): void {
    const target = Math.min(at, Date.now())
    const isWider = this.isScrubbing && !isScrubbing && this.wanted !== null
    this.isScrubbing = isScrubbing
    if (this.loader.isFirstLookAsked) {
      this.wanted = target // the first look is on its way; the new instant is asked for when it comes
      this.set({ at: target })
    } else if (this.screen.isLoaded(target) && !isWider) {
      this.wanted = null
      this.screen.show(target)
      this.set({ at: target, status: 'ready', gap: null, error: null })
    } else {
      this.reload(target)
    }
    this.tick()
  }

  /** One picture forward or back; stops playing. */
  step(direction: 1 | -1): void {
    this.pause()
    if (framesAt(this.view.rate) === 'key') this.setRate(1)
    if (this.wanted !== null) return
    const found = findStep(this.screen.pictures, this.screen.at, direction)
    const first = this.screen.pictures[0]
    if (found !== null) this.seek(found)
    else if (direction === -1 && first !== undefined) this.reload(first - BEFORE_MS)
    else if (direction === 1) this.skipGap()
  }

  /** From inside a hole, or from the last picture before one, to where recording goes on. */
  skipGap(): void {
    const hole = this.coverage.findHoleAhead(this.view.at)
    if (hole !== null && !this.loader.isLast(hole)) this.seek(hole.to)
  }

  destroy(): void {
    clearInterval(this.ticker)
    this.loader.abort()
    this.screen.destroy()
  }

  private set(change: Partial<PlaybackView>): void {
    const keys = Object.keys(change) as (keyof PlaybackView)[]
    if (keys.every((key) => this.view[key] === change[key])) return
    this.view = { ...this.view, ...change }
    this.onView(this.view)
  }

  private reload(at: number): void {
    this.loader.abort()
    this.coverage.clear()
    this.wanted = at
    this.screen.clear(this.loader.look?.from ?? at)
    this.set({ at, status: 'loading', gap: null, error: null, pictureAt: this.isScrubbing ? this.view.pictureAt : null })
  }

  private tick(): void {
    if (this.view.status === 'denied' || this.view.status === 'failed') return
    if (this.wanted === null) this.follow(this.screen.at)
    if (!this.loader.isReady) return
    const at = this.wanted ?? this.screen.at
    const { look } = this.loader
    const ask = { at, now: Date.now(), rate: this.view.rate, covered: this.coverage.answered, isScrubbing: this.isScrubbing }
    const plan = look === null ? { kind: 'look' as const, at } : planNext({ ...ask, look })
    if (plan.kind === 'look') void this.loader.askLook(plan.at)
    else if (plan.kind === 'fetch') void this.loader.fetch(plan)
  }

  private stoodMs(): number {
    return this.stood.since === 0 ? 0 : Date.now() - this.stood.since
  }

  /** Notes where the picture is, and jumps over a hole where one has been reached. */
  private follow(at: number): void {
    const isStill = this.view.isPlaying && Math.abs(at - this.stood.at) < 1
    if (!isStill) this.stood = { at, since: Date.now() }
    const shown = this.screen.findPicture(at)
    const pictureAt = shown !== null && at - shown < PICTURE_HOLDS_MS ? shown : null
    if (!isStill) this.set({ at, pictureAt, status: 'ready' })
    else if (this.stoodMs() > STUCK_AFTER_MS) this.set({ status: this.isAtEnd(at) ? 'end' : 'loading' })
    if (this.view.isPlaying) {
      const jump = findJump(at, this.coverage.holes, this.screen.listBuffered(), this.stoodMs())
      if (jump !== null && !this.loader.isLast(jump)) {
        if (!jump.isQuiet) this.set({ jumped: { from: jump.from, to: jump.to, noticedAt: Date.now() } })
        this.seek(jump.to)
        return
      }
      this.screen.play(this.view.rate)
    }
    this.coverage.forgetBefore(at - KEEP_BEHIND_MS)
    this.screen.dropBefore(at - KEEP_BEHIND_MS)
  }

  private isAtEnd(at: number): boolean {
    const { look } = this.loader
    if (look === null) return false
    const hole = this.coverage.findHole(at + 250)
    return look.to - at < EDGE_OF_NOW_MS || (hole !== null && this.loader.isLast(hole))
  }

  private take(answer: WindowAnswer, asked: number, look: Look): void {
    if (answer.kind === 'media') this.takeMedia(answer, asked, look.from)
    else if (answer.kind === 'nothing') {
      const isEdgeOfNow = answer.nextAt === null && look.to - asked < EDGE_OF_NOW_MS
      if (!isEdgeOfNow) this.noteHole(asked, answer.nextAt ?? look.to)
      else if (this.wanted !== null) this.set({ status: 'end' })
      if (isEdgeOfNow) this.loader.waitForMore()
    }
    this.tick()
  }

  private takeMedia(answer: { bytes: Uint8Array<ArrayBuffer>; nextAt: number | null }, asked: number, baseMs: number): void {
    let result: Interval | null
    try {
      result = this.screen.append(answer.bytes, baseMs)
    } catch (error) {
      this.fail(error, false)
      return
    }
    const end = result?.to ?? asked
    if (result !== null && result.from > asked + 250) this.noteHole(asked, result.from)
    if (end > asked) this.coverage.noteMedia(asked, end)
    if (answer.nextAt !== null && answer.nextAt > end) this.noteHole(Math.max(asked, end), answer.nextAt)
    else if (end <= asked + 50) this.loader.waitForMore()
  }

  private noteHole(from: number, to: number): void {
    if (to <= from) {
      this.loader.waitForMore()
      return
    }
    this.coverage.noteHole(from, to)
    const hole = this.wanted === null ? null : this.coverage.findHole(this.wanted)
    if (hole === null) return
    if (this.view.isPlaying && !this.loader.isLast(hole)) {
      this.wanted = hole.to
      this.set({ at: hole.to, jumped: { ...hole, noticedAt: Date.now() } })
    } else {
      this.set({ status: this.loader.isLast(hole) ? 'end' : 'gap', gap: hole, pictureAt: null })
    }
  }

  private showWanted(): void {
    const { wanted } = this
    if (wanted === null) return
    const range = this.screen.listBuffered().find((one) => one.to > wanted && one.from < wanted + 250)
    if (range === undefined) return
    this.wanted = null
    this.screen.show(Math.max(wanted, range.from))
    this.stood = { at: 0, since: 0 }
    this.set({ status: 'ready', gap: null })
    if (this.view.isPlaying) this.screen.play(this.view.rate)
  }

  private fail(error: unknown, isDenied: boolean): void {
    this.screen.pause()
    this.loader.reset()
    this.set({ status: isDenied ? 'denied' : 'failed', error, pictureAt: null, isPlaying: false })
  }
}
