/**
 * A live camera by HLS, where a browser has no Media Source (iPhones before iOS 17.1): the browser fetches and plays by
 * itself, some seconds behind. The verdict is the same as for every live picture: live only while pictures move.
 */
import { retryWaitMs } from './backoff'
import { INITIAL_FACTS, isSameVerdict, judgeLive, mayRetry, reduceLive, CLOSE_BUSY, type LiveEvent, type LiveFacts, type Verdict } from './liveModel'
import type { LiveShow } from './livePicture'
import { TICK_MS, type LiveSource } from './livePlayer'

/** HTTP's word for a refusal as the close code that the WebSocket would have used. */
const CODES: Record<number, number> = { 401: 4401, 403: 4403, 404: 4404, 422: 4403, 429: 4429 }

export class HlsPlayer implements LiveShow {
  private facts: LiveFacts = INITIAL_FACTS
  private verdict: Verdict = judgeLive(INITIAL_FACTS, 0)
  private asking: AbortController | null = null
  private retry: ReturnType<typeof setTimeout> | undefined
  private readonly ticker: ReturnType<typeof setInterval>
  private shownS = 0

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: LiveSource,
    private readonly onVerdict: (verdict: Verdict) => void,
  ) {
    this.ticker = setInterval(() => this.judge(), TICK_MS)
    video.addEventListener('timeupdate', this.onTime)
    video.addEventListener('error', this.onError)
  }

  play(): void {
    this.letGo()
    this.note({ type: 'dialled' })
    this.asking = new AbortController()
    void this.open(this.asking.signal)
  }

  /** The gateway ends the look by itself when nothing is fetched any more. */
  pause(): void {
    this.letGo()
    this.note({ type: 'paused' })
  }

  destroy(): void {
    clearInterval(this.ticker)
    this.video.removeEventListener('timeupdate', this.onTime)
    this.video.removeEventListener('error', this.onError)
    this.letGo()
  }

  /** A playlist does not say when its pictures were taken. */
  findCaptureTime(): number | null {
    return null
  }

  private async open(signal: AbortSignal): Promise<void> {
    const { gateway, camera, stream } = this.source
    try {
      const answer = await fetch(`${gateway}/media/hls`, {
        method: 'POST',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ camera, stream, rendition: 'clear' }),
        signal,
      })
      const body = (await answer.json()) as { playlist?: string; detail?: string }
      if (signal.aborted) return
      if (!answer.ok || body.playlist === undefined) {
        this.close(CODES[answer.status] ?? 4503, body.detail ?? '')
        return
      }
      this.note({ type: 'opened', at: Date.now() })
      this.video.crossOrigin = 'use-credentials'
      this.video.src = `${gateway}${body.playlist}`
      void this.video.play().catch(() => undefined) // a muted picture may always play; where not, the verdict says so
    } catch {
      if (!signal.aborted) this.close(1006, '')
    }
  }

  private readonly onTime = (): void => {
    if (!this.facts.isOpen || this.video.currentTime === this.shownS) return
    this.shownS = this.video.currentTime
    this.note({ type: 'fragment', at: Date.now() })
    this.note({ type: 'shown', at: Date.now() })
  }

  private readonly onError = (): void => {
    if (this.facts.isOpen && this.video.error !== null) this.close(1006, '')
  }

  private close(code: number, reason: string): void {
    this.letGo()
    this.note({ type: 'closed', at: Date.now(), code, reason })
    if (mayRetry(this.facts)) this.retry = setTimeout(() => this.play(), retryWaitMs(this.facts.attempts, Math.random(), code === CLOSE_BUSY))
  }

  private letGo(): void {
    clearTimeout(this.retry)
    this.asking?.abort()
    this.asking = null
    if (!this.video.hasAttribute('src')) return
    this.video.removeAttribute('src')
    this.video.load()
  }

  private note(event: LiveEvent): void {
    this.facts = reduceLive(this.facts, event)
    this.judge()
  }

  private judge(): void {
    const next = judgeLive(this.facts, Date.now())
    if (isSameVerdict(next, this.verdict)) return
    this.verdict = next
    this.onVerdict(next)
  }
}
