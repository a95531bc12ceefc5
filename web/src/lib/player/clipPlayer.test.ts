import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClipPlayer, LONGEST_MS, loopOf, type ClipView } from './clipPlayer'
import { FakeMediaSource, FakeRecorder, fakeVideo } from './playbackFakes'

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0)
const CLIP = { from: NOW - 60_000, to: NOW - 48_000 }

let stop: () => void
let player: ClipPlayer
const views: ClipView[] = []

function begin(recorder: FakeRecorder, clip = CLIP): void {
  const fake = fakeVideo()
  stop = fake.stop
  player = new ClipPlayer(fake.video, recorder, clip, (view) => views.push(view))
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
  vi.stubGlobal('MediaSource', FakeMediaSource)
  URL.createObjectURL = () => 'blob:test'
  URL.revokeObjectURL = () => undefined
  views.length = 0
})
afterEach(() => {
  player.destroy()
  stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('ClipPlayer', () => {
  it('plays its stretch over and over with one look, fetching nothing twice', async () => {
    const recorder = new FakeRecorder([{ from: NOW - 3_600_000, to: NOW }])
    begin(recorder)
    await pass(11_000)
    expect(player.view.status).toBe('playing')
    expect(player.view.at).toBeGreaterThan(CLIP.from + 8_000)
    await pass(30_000)
    const places = views.map((view) => view.at)
    expect(places.filter((at, index) => at < (places[index - 1] ?? at)).length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...places)).toBeLessThan(CLIP.to + 500)
    expect(recorder.looks).toEqual([CLIP])
    expect(new Set(recorder.asked.map((one) => one.at)).size).toBe(recorder.asked.length)
  })

  it('waits for what is still being written', async () => {
    const spans = [{ from: NOW - 3_600_000, to: NOW - 55_000 }]
    begin(new FakeRecorder(spans))
    await pass(3_000)
    spans[0] = { from: NOW - 3_600_000, to: NOW }
    await pass(12_000)
    expect(Math.max(...views.map((view) => view.at))).toBeGreaterThan(CLIP.to - 1_500)
  })

  it('jumps over a hole, and says so where nothing was recorded', async () => {
    begin(new FakeRecorder([{ from: CLIP.from, to: CLIP.from + 4_000 }, { from: CLIP.to - 4_000, to: NOW }]))
    await pass(12_000)
    expect(Math.max(...views.map((view) => view.at))).toBeGreaterThan(CLIP.to - 3_000)
    player.destroy()
    begin(new FakeRecorder([]))
    await pass(40_000)
    expect(player.view.status).toBe('nothing')
  })

  it('tells a refusal, and asks no more', async () => {
    const recorder = new FakeRecorder([])
    recorder.isDenied = true
    begin(recorder)
    await pass(5_000)
    expect(player.view.status).toBe('denied')
    expect(recorder.asked).toEqual([])
  })

  it('stands still when told to', async () => {
    begin(new FakeRecorder([{ from: NOW - 3_600_000, to: NOW }]))
    await pass(2_000)
    player.toggle()
    const { at } = player.view
    await pass(3_000)
    expect(player.view).toMatchObject({ status: 'paused', at })
  })
})

describe('loopOf', () => {
  it('keeps a short clip whole and cuts a long one around its picture', () => {
    expect(loopOf(CLIP, CLIP.from)).toEqual(CLIP)
    const long = { from: NOW - 600_000, to: NOW }
    for (const pictureAt of [long.from, NOW - 300_000, NOW]) {
      const loop = loopOf(long, pictureAt)
      expect(loop.to - loop.from).toBe(LONGEST_MS)
      expect(loop.from).toBeGreaterThanOrEqual(long.from)
      expect(loop.to).toBeLessThanOrEqual(long.to)
      expect(loop.from).toBeLessThanOrEqual(pictureAt)
      expect(loop.to).toBeGreaterThanOrEqual(pictureAt)
    }
  })
})
