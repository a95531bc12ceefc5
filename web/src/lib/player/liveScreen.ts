/**
 * One live stream on one video element through MSE: starts at the newest picture, holds the lag, forgets the past.
 * What the rules are stands in lag.ts; this class only carries them out.
 */
import { AppendQueue } from './appendQueue'
import { removableEnd, startAt, steer, targetAfterCalm, targetAfterDry, TARGET_EASE_AFTER_S, TARGET_LAG_S, type Range } from './lag'
import { listRanges, mimeOf, openSource } from './mediaSource'
import type { LivePicture, ScreenHooks } from './livePicture'
import { readLiveFragment } from './mp4'

export const KEEP_BEHIND_S = 10
/** Data that comes this soon after the player ran dry was late, not missing. */
const LATE_WITHIN_MS = 1_000

export class LiveScreen implements LivePicture {
  private readonly queue: AppendQueue
  private buffer: SourceBuffer | null = null
  private release: (() => void) | null = null
  private mime = ''
  private startedAt: number | null = null
  private needsKey = true
  private targetS = TARGET_LAG_S
  private dryAt: number | null = null
  private targetChangedAt = 0
  private jumpedAt = 0
  private framesSeen = 0
  /** Fragments that were not shown because this page could not keep up. */
  dropped = 0

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly hooks: ScreenHooks,
  ) {
    this.queue = new AppendQueue({
      onIdle: () => this.follow(),
      onFull: () => ({ startS: 0, endS: Math.max(0, this.video.currentTime - 1) }),
      onError: () => this.hooks.onBroken(),
    })
    video.addEventListener('error', this.onVideoError)
    video.addEventListener('waiting', this.onWaiting)
  }

  get shownS(): number {
    return this.video.currentTime
  }

  begin(codec: string): void {
    const mime = mimeOf(codec)
    this.startedAt = null
    this.needsKey = true
    this.queue.clear()
    if (this.release === null) {
      this.release = openSource(this.video, mime, (buffer) => {
        this.buffer = buffer
        this.queue.attach(buffer)
      })
    } else {
      if (this.buffer !== null) this.queue.push({ kind: 'remove', startS: 0, endS: Number.POSITIVE_INFINITY })
      if (mime !== this.mime) this.queue.push({ kind: 'type', mime })
    }
    this.mime = mime
  }

  appendInit(bytes: Uint8Array<ArrayBuffer>): void {
    this.queue.push({ kind: 'append', bytes })
  }

  /** Starts only at a key frame; after an overflow it waits for the next one. */
  appendFragment(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.needsKey) {
      if (readLiveFragment(bytes)?.isKey !== true) {
        this.dropped += 1
        return
      }
      this.needsKey = false
    }
    if (!this.queue.push({ kind: 'append', bytes })) {
      this.queue.clear()
      this.needsKey = true
      this.dropped += 1
    }
    this.noteLate()
  }

  /** Called a few times a second: keeps the lag, and says whether new pictures were shown since the last call. */
  tick(): void {
    this.follow()
    const frames = this.video.getVideoPlaybackQuality?.().totalVideoFrames ?? Math.round(this.video.currentTime * 10)
    if (frames !== this.framesSeen) {
      this.framesSeen = frames
      if (this.startedAt !== null) this.hooks.onShown()
    }
  }

  rest(): void {
    this.queue.clear()
    this.startedAt = null
    this.video.pause()
  }

  destroy(): void {
    this.video.removeEventListener('error', this.onVideoError)
    this.video.removeEventListener('waiting', this.onWaiting)
    this.reset()
  }

  /** Lets go of the media source: after an error only a new one helps. */
  reset(): void {
    this.queue.detach()
    this.release?.()
    this.release = null
    this.buffer = null
    this.startedAt = null
  }

  private newest(): Range | null {
    if (this.buffer === null) return null
    return listRanges(this.buffer.buffered).at(-1) ?? null
  }

  private follow(): void {
    const newest = this.newest()
    if (newest === null || this.buffer === null || this.video.error !== null) return
    const now = performance.now()
    if (this.startedAt === null) {
      if (this.needsKey) return
      this.video.currentTime = startAt(newest)
      this.startedAt = now
      this.video.requestVideoFrameCallback?.(() => this.hooks.onShown())
      void this.video.play().catch(() => undefined) // a muted picture may always play; where not, the verdict says so
      return
    }
    this.steer(newest, now)
    this.trim()
  }

  private steer(newest: Range, now: number): void {
    const { rate, seekTo } = steer(this.video.currentTime, newest, this.targetS, (now - (this.startedAt ?? now)) / 1000)
    if (seekTo !== null) {
      this.video.currentTime = seekTo
      this.jumpedAt = now
    }
    if (Math.abs(this.video.playbackRate - rate) > 0.001) this.video.playbackRate = rate
    if (this.targetS > TARGET_LAG_S && now - this.targetChangedAt > TARGET_EASE_AFTER_S * 1000) {
      this.targetS = targetAfterCalm(this.targetS)
      this.targetChangedAt = now
    }
  }

  private trim(): void {
    if (this.buffer === null || !this.queue.isIdle || this.buffer.buffered.length === 0) return
    const endS = removableEnd(this.video.currentTime, this.buffer.buffered.start(0), KEEP_BEHIND_S)
    if (endS !== null) this.queue.push({ kind: 'remove', startS: 0, endS })
  }

  private noteLate(): void {
    if (this.dryAt === null) return
    const now = performance.now()
    if (now - this.dryAt < LATE_WITHIN_MS) {
      this.targetS = targetAfterDry(this.targetS)
      this.targetChangedAt = now
    }
    this.dryAt = null
  }

  private readonly onWaiting = (): void => {
    const now = performance.now()
    const isOwnDoing = this.startedAt === null || now - Math.max(this.startedAt, this.jumpedAt) < LATE_WITHIN_MS
    if (!isOwnDoing) this.dryAt = now
  }

  private readonly onVideoError = (): void => {
    if (this.video.error !== null) this.hooks.onBroken()
  }
}
