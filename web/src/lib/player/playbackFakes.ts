/** A browser's media machinery and a recorder, small enough to reason about, for the tests of playback. */
import type { Interval } from './intervals'
import { splitMedia } from './mp4'
import { join, makeFragment, makeInit } from './mp4Maker'
import type { Look, LookAnswer, PlaybackSource, WindowAnswer } from './playbackSource'

const TICKS_PER_MS = 90
const FRAME_MS = 100
const GOP_MS = 2000

/** A SourceBuffer that knows what it holds, from the fragments given to it. */
export class FakeBuffer extends EventTarget {
  updating = false
  timestampOffset = 0
  ranges: { start: number; end: number }[] = []
  get buffered() {
    return { length: this.ranges.length, start: (i: number) => this.ranges[i]!.start, end: (i: number) => this.ranges[i]!.end }
  }
  appendBuffer(bytes: Uint8Array): void {
    for (const piece of splitMedia(bytes)) {
      if (piece.kind === 'init') continue
      for (const { decodeTicks, endTicks } of piece.fragments) {
        this.add(decodeTicks / 90_000 + this.timestampOffset, endTicks / 90_000 + this.timestampOffset)
      }
    }
    this.later()
  }
  remove(start: number, end: number): void {
    this.ranges = this.ranges.flatMap((range) => [
      { start: range.start, end: Math.min(range.end, start) },
      { start: Math.max(range.start, end), end: range.end },
    ]).filter((range) => range.end > range.start)
    this.later()
  }
  changeType(): void {}
  private add(start: number, end: number): void {
    const near = this.ranges.filter((range) => range.start <= end + 0.01 && range.end >= start - 0.01)
    const one = { start: Math.min(start, ...near.map((range) => range.start)), end: Math.max(end, ...near.map((range) => range.end)) }
    this.ranges = [...this.ranges.filter((range) => !near.includes(range)), one].sort((a, b) => a.start - b.start)
  }
  private later(): void {
    this.updating = true
    setTimeout(() => {
      this.updating = false
      this.dispatchEvent(new Event('updateend'))
    }, 1)
  }
}

export class FakeMediaSource extends EventTarget {
  static isTypeSupported = (): boolean => true
  static last: FakeBuffer
  duration = 0
  constructor() {
    super()
    setTimeout(() => this.dispatchEvent(new Event('sourceopen')), 1)
  }
  addSourceBuffer(): FakeBuffer {
    FakeMediaSource.last = new FakeBuffer()
    return FakeMediaSource.last
  }
}

/** A video element that plays what is buffered and stands still at its edge. */
export function fakeVideo() {
  const video = {
    currentTime: 0, playbackRate: 1, paused: true, error: null, src: '', disableRemotePlayback: false,
    play: () => {
      video.paused = false
      return Promise.resolve()
    },
    pause: () => {
      video.paused = true
    },
    load: () => undefined,
    removeAttribute: () => undefined,
  }
  const timer = setInterval(() => {
    if (video.paused) return
    const range = FakeMediaSource.last?.ranges.find((one) => one.start <= video.currentTime && video.currentTime < one.end)
    if (range !== undefined) video.currentTime = Math.min(range.end, video.currentTime + 0.05 * video.playbackRate)
  }, 50)
  return { video: video as unknown as HTMLVideoElement, stop: () => clearInterval(timer) }
}

/** A recorder that has these stretches, each beginning with a key frame, a key frame each two seconds. */
export class FakeRecorder implements PlaybackSource {
  looks: Interval[] = []
  asked: { at: number; seconds: number; frames: string }[] = []
  isDenied = false
  goneOnce = false
  constructor(private readonly spans: readonly Interval[]) {}

  openLook(interval: Interval): Promise<LookAnswer> {
    if (this.isDenied) return Promise.resolve({ kind: 'refused', isDenied: true, error: new Error('no') })
    this.looks.push(interval)
    return Promise.resolve({ kind: 'look', look: { id: String(this.looks.length), ...interval } })
  }

  fetchWindow(look: Look, ask: { at: number; seconds: number; frames: 'all' | 'key' }): Promise<WindowAnswer> {
    if (this.goneOnce) {
      this.goneOnce = false
      return Promise.resolve({ kind: 'gone' })
    }
    this.asked.push(ask)
    const span = this.spans.find((one) => one.from <= ask.at + 5 && ask.at + 5 < one.to)
    const next = this.spans.find((one) => one.from > ask.at)?.from ?? null
    if (span === undefined) return Promise.resolve({ kind: 'nothing', nextAt: next })
    const start = span.from + Math.floor((ask.at + 5 - span.from) / GOP_MS) * GOP_MS
    const parts = []
    const wanted = span.from + Math.ceil((ask.at + ask.seconds * 1000 - span.from) / GOP_MS) * GOP_MS
    const end = Math.min(span.to, wanted)
    for (let at = start; at < end; at += FRAME_MS) {
      const sample = { duration: FRAME_MS * TICKS_PER_MS, isKey: (at - span.from) % GOP_MS === 0 }
      parts.push(makeFragment((at - look.from) * TICKS_PER_MS, [sample]))
    }
    return Promise.resolve({ kind: 'media', bytes: join(makeInit(), ...parts), nextAt: end === span.to ? next : null })
  }
}
