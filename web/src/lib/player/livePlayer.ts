/**
 * A live camera on a screen: the link, the screen and the verdict, held together.
 * It tries again by itself with back-off and jitter, and keeps no picture looking live that is not.
 */
import { retryWaitMs } from './backoff'
import { liveAddress, openLink } from './liveLink'
import { INITIAL_FACTS, isSameVerdict, judgeLive, mayRetry, reduceLive, CLOSE_BUSY, type LiveEvent, type LiveFacts, type StreamName, type Verdict } from './liveModel'
import type { LivePicture, LiveShow, ScreenHooks } from './livePicture'
import { canPlay } from './mediaSource'

export const TICK_MS = 250
/** A link without a word for this long is dialled anew; much later where the server said why. */
export const SILENT_LINK_MS = 15_000
export const EXPLAINED_SILENCE_MS = 300_000
const TICKS_PER_S = 90_000
/** Errors further apart than this are not counted together. */
const MEDIA_ERRORS_WITHIN_MS = 60_000

export interface LiveSource {
  readonly gateway: string
  readonly camera: string
  readonly stream: StreamName
}

export class LivePlayer implements LiveShow {
  private facts: LiveFacts = INITIAL_FACTS
  private verdict: Verdict = judgeLive(INITIAL_FACTS, 0)
  private hangUp: (() => void) | null = null
  private retry: ReturnType<typeof setTimeout> | undefined
  private readonly ticker: ReturnType<typeof setInterval>
  private readonly screen: LivePicture
  private isInitNext = false
  private heardAt = 0
  private mediaErrors = 0
  private mediaErrorAt = 0
  private clock: { mediaTicks: number; capturedAt: number } | null = null

  constructor(
    makeScreen: (hooks: ScreenHooks) => LivePicture,
    private readonly source: LiveSource,
    private readonly onVerdict: (verdict: Verdict) => void,
  ) {
    this.screen = makeScreen({ onShown: () => this.onShown(), onBroken: () => this.onBroken() })
    this.ticker = setInterval(() => this.tick(), TICK_MS)
  }

  /** Starts, resumes or tries again at once. */
  play(): void {
    clearTimeout(this.retry)
    this.hangUp?.()
    this.isInitNext = false
    this.heardAt = Date.now()
    this.note({ type: 'dialled' })
    this.hangUp = openLink(liveAddress(this.source.gateway, this.source.camera, this.source.stream), {
      onOpen: () => this.note({ type: 'opened', at: Date.now() }),
      onInit: (codec, sent) => this.onInit(codec, sent),
      onBytes: (bytes) => this.onBytes(bytes),
      onState: (state, since) => this.hear({ type: 'server', state, since }),
      onClock: (mediaTicks, capturedAt) => {
        this.clock = { mediaTicks, capturedAt }
      },
      onClose: (code, reason) => this.onClose(code, reason),
    })
  }

  /** For a tile nobody can see: no link, no decoding; the last picture stays, marked as paused. */
  pause(): void {
    clearTimeout(this.retry)
    this.hangUp?.()
    this.hangUp = null
    this.screen.rest()
    this.note({ type: 'paused' })
  }

  destroy(): void {
    clearTimeout(this.retry)
    clearInterval(this.ticker)
    this.hangUp?.()
    this.hangUp = null
    this.screen.destroy()
  }

  /** When the camera captured the picture now on the screen (epoch ms); null until the server's clock is known. */
  findCaptureTime(): number | null {
    if (this.clock === null || this.verdict.state === 'connecting') return null
    return this.clock.capturedAt + (this.screen.shownS - this.clock.mediaTicks / TICKS_PER_S) * 1000
  }

  private note(event: LiveEvent): void {
    this.facts = reduceLive(this.facts, event)
    this.judge()
  }

  private hear(event: LiveEvent): void {
    this.heardAt = Date.now()
    this.note(event)
  }

  private judge(): void {
    const next = judgeLive(this.facts, Date.now())
    if (isSameVerdict(next, this.verdict)) return
    this.verdict = next
    this.onVerdict(next)
  }

  private tick(): void {
    if (this.facts.isPaused) return
    this.screen.tick()
    this.judge()
    const isExplained = this.facts.server !== null && this.facts.server.state !== 'live'
    const silence = Date.now() - this.heardAt
    if (this.hangUp !== null && this.facts.isOpen && silence > (isExplained ? EXPLAINED_SILENCE_MS : SILENT_LINK_MS)) this.play()
  }

  private onInit(codec: string, sent: StreamName | null): void {
    this.isInitNext = true
    this.clock = null
    const isPlayable = canPlay(codec)
    this.hear({ type: 'init', isPlayable, sent, asked: this.source.stream })
    if (isPlayable) this.screen.begin(codec)
  }

  private onBytes(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.isInitNext) {
      this.isInitNext = false
      if (this.facts.mediaError === null) this.screen.appendInit(bytes)
      return
    }
    if (this.facts.mediaError !== null) {
      this.heardAt = Date.now() // the line stays open: the next init may be one that can be played
      return
    }
    this.hear({ type: 'fragment', at: Date.now() })
    this.screen.appendFragment(bytes)
  }

  private onShown(): void {
    if (this.facts.isOpen) this.note({ type: 'shown', at: Date.now() })
  }

  private onBroken(): void {
    this.mediaErrors = Date.now() - this.mediaErrorAt > MEDIA_ERRORS_WITHIN_MS ? 1 : this.mediaErrors + 1
    this.mediaErrorAt = Date.now()
    this.screen.reset()
    this.hangUp?.()
    this.hangUp = null
    this.note({ type: 'broken' })
    this.retryLater(this.mediaErrors + 1)
  }

  private onClose(code: number, reason: string): void {
    this.hangUp = null
    this.note({ type: 'closed', at: Date.now(), code, reason })
    if (mayRetry(this.facts)) this.retryLater(this.facts.attempts, code === CLOSE_BUSY)
  }

  private retryLater(attempt: number, isBusy = false): void {
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.play(), retryWaitMs(attempt, Math.random(), isBusy))
  }
}
