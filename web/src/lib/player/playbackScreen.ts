/**
 * Recorded windows on one video element through MSE, addressed by the instant instead of by media seconds.
 * A window's own time counts from its look; `origin` is the instant at media second 0 of this screen.
 */
import { AppendQueue } from './appendQueue'
import { findInterval, type Interval } from './intervals'
import { canPlay, listRanges, mimeOf, openSource } from './mediaSource'
import { splitMedia, type Piece } from './mp4'
import { mergePictures } from './plan'

/** Where a picture is shown, just inside its own time, so that rounding never picks the one before. */
const INSIDE_S = 0.001

export class UnplayableCodec extends Error {
  constructor(readonly codec: string) {
    super(`This browser can not play ${codec}`)
    this.name = 'UnplayableCodec'
  }
}

export class PlaybackScreen {
  private readonly queue: AppendQueue
  private buffer: SourceBuffer | null = null
  private release: (() => void) | null = null
  private mime = ''
  private origin = 0
  private timescale = 90_000
  /** Start of each loaded picture, sorted epoch ms. */
  pictures: number[] = []

  constructor(
    private readonly video: HTMLVideoElement,
    hooks: { readonly onIdle: () => void; readonly onBroken: (error: unknown) => void },
  ) {
    this.queue = new AppendQueue({
      onIdle: hooks.onIdle,
      onFull: () => ({ startS: 0, endS: Math.max(0, this.video.currentTime - 2) }),
      onError: hooks.onBroken,
    })
  }

  get at(): number {
    return this.origin + this.video.currentTime * 1000
  }

  listBuffered(): Interval[] {
    if (this.buffer === null) return []
    return listRanges(this.buffer.buffered).map(({ start, end }) => ({ from: this.origin + start * 1000, to: this.origin + end * 1000 }))
  }

  /** Forgets all pictures; media second 0 becomes `originMs`. */
  clear(originMs: number): void {
    this.origin = originMs
    this.pictures = []
    this.queue.clear()
    if (this.buffer !== null) this.queue.push({ kind: 'remove', startS: 0, endS: Number.POSITIVE_INFINITY })
  }

  /** Appends an answer whose time counts from `baseMs`; null where it holds no picture. Raises UnplayableCodec. */
  append(bytes: Uint8Array<ArrayBuffer>, baseMs: number): Interval | null {
    let [startMs, endMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const pictures: number[] = []
    for (const piece of splitMedia(bytes)) {
      this.push(piece, (baseMs - this.origin) / 1000)
      if (piece.kind === 'init') continue
      const toMs = (ticks: number): number => baseMs + (ticks / this.timescale) * 1000
      for (const fragment of piece.fragments) {
        pictures.push(...fragment.pictureTicks.map(toMs))
        startMs = Math.min(startMs, toMs(fragment.decodeTicks))
        endMs = Math.max(endMs, toMs(fragment.endTicks))
      }
    }
    this.pictures = mergePictures(this.pictures, pictures)
    return endMs > startMs ? { from: startMs, to: endMs } : null
  }

  /** The picture that stands for an instant: the last that began at or before it. */
  findPicture(atMs: number): number | null {
    return this.pictures.findLast((time) => time <= atMs + 2) ?? null
  }

  isLoaded(atMs: number): boolean {
    return this.queue.isIdle && findInterval(this.listBuffered(), atMs) !== null
  }

  show(atMs: number): void {
    this.video.currentTime = Math.max(0, (atMs - this.origin) / 1000 + INSIDE_S)
  }

  play(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate
    if (!this.video.paused) return
    void this.video.play().catch(() => undefined) // interrupted by the next seek: the tick plays again
  }

  pause(): void {
    this.video.pause()
  }

  dropBefore(atMs: number): void {
    if (this.buffer === null || !this.queue.isIdle) return
    const endS = (atMs - this.origin) / 1000
    if (endS <= 0 || this.buffer.buffered.length === 0 || this.buffer.buffered.start(0) > endS - 5) return
    this.pictures = this.pictures.filter((time) => time >= atMs)
    this.queue.push({ kind: 'remove', startS: 0, endS })
  }

  destroy(): void {
    this.queue.detach()
    this.release?.()
    this.release = null
    this.buffer = null
    this.pictures = []
  }

  private push(piece: Piece, offsetS: number): void {
    const bytes = piece.bytes as Uint8Array<ArrayBuffer>
    if (piece.kind === 'init') this.useCodec(piece.facts.codec ?? 'avc1.42E01E', piece.facts.timescale)
    this.queue.push({ kind: 'append', bytes, offsetS })
  }

  private useCodec(codec: string, timescale: number): void {
    if (!canPlay(codec)) throw new UnplayableCodec(codec)
    this.timescale = timescale
    const mime = mimeOf(codec)
    if (this.release === null) {
      this.release = openSource(this.video, mime, (buffer) => {
        this.buffer = buffer
        this.queue.attach(buffer)
      })
    } else if (mime !== this.mime) {
      this.queue.push({ kind: 'type', mime })
    }
    this.mime = mime
  }
}
