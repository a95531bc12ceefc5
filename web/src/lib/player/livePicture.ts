/** What shows a live stream: on a video element through MSE, or on a canvas through WebCodecs. The player knows no more. */

export interface ScreenHooks {
  readonly onShown: () => void
  readonly onBroken: () => void
}

export interface LivePicture {
  /** Media seconds of the picture on the screen. */
  readonly shownS: number
  /** A new stream, or new parameters of the same: what follows starts with an init segment. */
  begin(codec: string): void
  appendInit(bytes: Uint8Array<ArrayBuffer>): void
  appendFragment(bytes: Uint8Array<ArrayBuffer>): void
  /** Called a few times a second. */
  tick(): void
  /** For a picture that nobody can see; `begin` wakes it. */
  rest(): void
  /** Lets go of what decodes: after an error only a new one helps. */
  reset(): void
  destroy(): void
}

export type LiveWay = 'mse' | 'webcodecs' | 'hls'

/** What a tile asks of whatever plays its camera. */
export interface LiveShow {
  /** Starts, resumes or tries again at once. */
  play(): void
  pause(): void
  destroy(): void
  /** When the camera captured the picture now on the screen (epoch ms); null where that is not known. */
  findCaptureTime(): number | null
}
