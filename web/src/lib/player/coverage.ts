/** What playback knows of the time it has asked for: answered stretches, and the holes among them. */
import { clip, findInterval, findNext, mergeIntervals, type Interval } from './intervals'

/** Stretches this close belong together: a tick of rounding, not a gap. */
const JOIN_MS = 5

export class Coverage {
  answered: readonly Interval[] = []
  holes: readonly Interval[] = []

  clear(): void {
    this.answered = []
    this.holes = []
  }

  noteMedia(from: number, to: number): void {
    this.answered = mergeIntervals([...this.answered, { from, to }], JOIN_MS)
  }

  noteHole(from: number, to: number): void {
    this.holes = mergeIntervals([...this.holes, { from, to }], JOIN_MS)
    this.noteMedia(from, to)
  }

  forgetBefore(at: number): void {
    const window = { from: at, to: Number.POSITIVE_INFINITY }
    this.answered = clip(this.answered, window)
    this.holes = this.holes.filter((hole) => hole.to > at)
  }

  findHole(at: number): Interval | null {
    return findInterval(this.holes, at)
  }

  /** The hole that holds `at`, else the next one after it. */
  findHoleAhead(at: number): Interval | null {
    return this.findHole(at) ?? findNext(this.holes, at)
  }
}
