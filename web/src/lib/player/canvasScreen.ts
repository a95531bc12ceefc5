/**
 * One live stream on a canvas through WebCodecs: each picture is drawn as soon as it is decoded, without a buffer that
 * holds it back. For the one camera that somebody steers or watches closely; a network that stutters is seen to.
 */
import { readChunk, readDescription } from './liveChunk'
import type { LivePicture, ScreenHooks } from './livePicture'

/** Pictures that wait for the decoder; a page that is further behind skips to the next key frame. */
const MAX_WAITING = 40

/** Only a page that came by HTTPS or from this machine has a decoder of single pictures. */
export function hasPictureDecoder(): boolean {
  return 'VideoDecoder' in globalThis
}

export class CanvasScreen implements LivePicture {
  private decoder: VideoDecoder | null = null
  private codec = ''
  private needsKey = true
  private newest: VideoFrame | null = null
  private drawing = 0
  private shownUs = 0
  dropped = 0

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly hooks: ScreenHooks,
  ) {}

  get shownS(): number {
    return this.shownUs / 1e6
  }

  begin(codec: string): void {
    this.reset()
    this.codec = codec
  }

  appendInit(bytes: Uint8Array<ArrayBuffer>): void {
    const description = readDescription(bytes)
    if (description === null) {
      this.hooks.onBroken()
      return
    }
    this.decoder = new VideoDecoder({ output: (frame) => this.take(frame), error: () => this.hooks.onBroken() })
    try {
      this.decoder.configure({ codec: this.codec, description, optimizeForLatency: true })
    } catch {
      this.hooks.onBroken() // parameters that no decoder takes
    }
  }

  appendFragment(bytes: Uint8Array<ArrayBuffer>): void {
    const chunk = readChunk(bytes)
    if (chunk === null || this.decoder?.state !== 'configured') return
    if (this.decoder.decodeQueueSize > MAX_WAITING) this.needsKey = true
    if (this.needsKey && !chunk.isKey) {
      this.dropped += 1
      return
    }
    this.needsKey = false
    this.decoder.decode(new EncodedVideoChunk({ type: chunk.isKey ? 'key' : 'delta', timestamp: chunk.shownUs, data: chunk.data }))
  }

  /** Everything happens when a picture comes; `onShown` has told the player already. */
  tick(): void {}

  rest(): void {
    this.reset()
  }

  destroy(): void {
    this.reset()
  }

  reset(): void {
    cancelAnimationFrame(this.drawing)
    this.drawing = 0
    this.newest?.close()
    this.newest = null
    this.needsKey = true
    if (this.decoder !== null && this.decoder.state !== 'closed') this.decoder.close()
    this.decoder = null
  }

  /** Of several pictures before the next paint, as after joining, only the last is drawn. */
  private take(frame: VideoFrame): void {
    this.newest?.close()
    this.newest = frame
    if (this.drawing === 0) this.drawing = requestAnimationFrame(() => this.draw())
  }

  private draw(): void {
    this.drawing = 0
    const frame = this.newest
    if (frame === null) return
    this.newest = null
    if (this.canvas.width !== frame.displayWidth || this.canvas.height !== frame.displayHeight) {
      this.canvas.width = frame.displayWidth
      this.canvas.height = frame.displayHeight
    }
    this.canvas.getContext('2d')?.drawImage(frame, 0, 0)
    this.shownUs = frame.timestamp
    frame.close()
    this.hooks.onShown()
  }
}
