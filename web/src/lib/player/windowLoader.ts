/** One request at a time to a playback source: holds the look, what is under way, and when to try again. */
import type { Interval } from './intervals'
import { LOOK_GROWTH_MS, lookAround, RETRY_EMPTY_MS, RETRY_LOOK_MS, type FetchPlan } from './plan'
import type { Look, PlaybackSource, WindowAnswer } from './playbackSource'

export interface LoaderHooks {
  readonly onLook: (look: Look) => void
  readonly onWindow: (answer: WindowAnswer, plan: FetchPlan, look: Look) => void
  readonly onRefused: (error: unknown, isDenied: boolean) => void
}

const MAX_LOST_LOOKS = 3

export class WindowLoader {
  look: Look | null = null
  private request: AbortController | null = null
  private retryAt = 0
  private lostLooks = 0
  private lastAskedAt: number | null = null

  constructor(
    private readonly source: PlaybackSource,
    private readonly hooks: LoaderHooks,
  ) {}

  get isAsking(): boolean {
    return this.request !== null
  }

  /** Whether a request may start now. */
  get isReady(): boolean {
    return this.request === null && Date.now() >= this.retryAt
  }

  get isFirstLookAsked(): boolean {
    return this.look === null && this.request !== null
  }

  abort(): void {
    this.request?.abort()
    this.request = null
    this.retryAt = 0
    this.lastAskedAt = null
  }

  /** Drops the look as well: the next tick asks for a new one. */
  reset(): void {
    this.abort()
    this.look = null
  }

  waitForMore(): void {
    this.retryAt = Date.now() + RETRY_EMPTY_MS
  }

  async askLook(at: number): Promise<void> {
    const signal = this.begin()
    const answer = await this.source.openLook(lookAround(at, Date.now()), signal)
    if (signal.aborted) return
    this.request = null
    if (answer.kind === 'refused') {
      this.hooks.onRefused(answer.error, answer.isDenied)
      return
    }
    this.look = answer.look
    if (at < answer.look.from || at > answer.look.to) this.retryAt = Date.now() + RETRY_LOOK_MS
    this.hooks.onLook(answer.look)
  }

  async fetch(plan: FetchPlan): Promise<void> {
    const { look } = this
    if (look === null) return
    const signal = this.begin()
    const answer = await this.source.fetchWindow(look, plan, signal)
    if (signal.aborted) return
    this.request = null
    if (answer.kind === 'gone') this.loseLook()
    else if (answer.kind === 'refused') this.hooks.onRefused(answer.error, answer.isDenied)
    else {
      this.lostLooks = 0
      // Whatever the answers say, the same instant is never asked for again at once.
      if (plan.at === this.lastAskedAt) this.waitForMore()
      this.lastAskedAt = plan.at
      this.hooks.onWindow(answer, plan, look)
    }
  }

  /** This hole reaches into now; any other that fills its look is followed by the next look. */
  isLast(hole: Interval): boolean {
    return this.look !== null && hole.to >= this.look.to && Date.now() - this.look.to < LOOK_GROWTH_MS * 2
  }

  private begin(): AbortSignal {
    this.request = new AbortController()
    return this.request.signal
  }

  private loseLook(): void {
    this.lostLooks += 1
    this.look = null
    if (this.lostLooks > MAX_LOST_LOOKS) this.hooks.onRefused(new Error('The gateway keeps forgetting this look'), false)
  }
}
