/** Media Source Extensions as this browser has them: ManagedMediaSource where present (Safari on phones), else MediaSource. */

interface SourceWindow {
  ManagedMediaSource?: typeof MediaSource
  MediaSource?: typeof MediaSource
}

function sourceClass(): typeof MediaSource | null {
  const scope = globalThis as SourceWindow
  return scope.ManagedMediaSource ?? scope.MediaSource ?? null
}

export function hasMediaSource(): boolean {
  return sourceClass() !== null
}

export function mimeOf(codec: string): string {
  return `video/mp4; codecs="${codec}"`
}

/** `avc1` without its profile is refused by browsers, and so is HEVC by many. */
export function canPlay(codec: string): boolean {
  return sourceClass()?.isTypeSupported(mimeOf(codec)) ?? false
}

/** Opens a source on the element and calls back with its one SourceBuffer; returns a function that lets go of both. */
export function openSource(
  video: HTMLVideoElement,
  mime: string,
  onBuffer: (buffer: SourceBuffer, source: MediaSource) => void,
): () => void {
  const Source = sourceClass()
  if (Source === null) throw new Error('This browser has no Media Source Extensions')
  const source = new Source()
  video.disableRemotePlayback = true
  const address = URL.createObjectURL(source)
  let isDone = false
  source.addEventListener(
    'sourceopen',
    () => {
      URL.revokeObjectURL(address)
      if (isDone) return
      source.duration = Number.POSITIVE_INFINITY
      onBuffer(source.addSourceBuffer(mime), source)
    },
    { once: true },
  )
  video.src = address
  return () => {
    isDone = true
    video.removeAttribute('src')
    video.load()
  }
}

export function listRanges(ranges: TimeRanges): { start: number; end: number }[] {
  return Array.from({ length: ranges.length }, (_, index) => ({ start: ranges.start(index), end: ranges.end(index) }))
}
