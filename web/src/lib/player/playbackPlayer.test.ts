import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeMediaSource, FakeRecorder, fakeVideo } from './playbackFakes'
import { PlaybackPlayer, type PlaybackView } from './playbackPlayer'

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0)

let stop: () => void
let player: PlaybackPlayer
const views: PlaybackView[] = []

function begin(recorder: FakeRecorder, at: number): PlaybackPlayer {
  const fake = fakeVideo()
  stop = fake.stop
  player = new PlaybackPlayer(fake.video, recorder, at, (view) => views.push(view))
  return player
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

const HOUR = 3_600_000
const START = NOW - HOUR
const GAP = { from: START + 60_000, to: START + 75_000 }
const RECORDED = [{ from: START - HOUR, to: GAP.from }, { from: GAP.to, to: NOW - 1000 }]

describe('PlaybackPlayer', () => {
  it('shows the picture of the instant and plays on from it, asking for nothing twice', async () => {
    const recorder = new FakeRecorder(RECORDED)
    begin(recorder, START).play()
    await pass(500)
    expect(player.view.status).toBe('ready')
    expect(Math.abs(player.view.at - START)).toBeLessThan(500)
    await pass(20_000)
    expect(player.view.at - START).toBeGreaterThan(19_000)
    expect(player.view.pictureAt).toBeGreaterThan(START + 19_000)
    expect(recorder.looks).toHaveLength(1)
    const asked = recorder.asked.map((ask) => ask.at)
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked).toEqual([...asked].sort((a, b) => a - b))
  })

  it('jumps over a gap while playing and says which', async () => {
    begin(new FakeRecorder(RECORDED), GAP.from - 3000).play()
    await pass(6000)
    expect(player.view.at).toBeGreaterThan(GAP.to)
    expect(player.view.jumped).toMatchObject({ to: GAP.to })
    expect(Math.abs(player.view.jumped!.from - GAP.from)).toBeLessThan(50)
    expect(views.every((view) => view.pictureAt === null || view.pictureAt < GAP.from || view.pictureAt >= GAP.to)).toBe(true)
  })

  it('stands in a gap while paused, shows no picture for it, and goes on by command', async () => {
    const recorder = new FakeRecorder(RECORDED)
    begin(recorder, GAP.from + 5000)
    await pass(5000)
    expect(recorder.asked.filter((ask) => ask.at < GAP.to)).toHaveLength(1) // a hole is asked for once
    expect(player.view).toMatchObject({ status: 'gap', pictureAt: null, at: GAP.from + 5000 })
    player.skipGap()
    await pass(1000)
    expect(player.view).toMatchObject({ status: 'ready', pictureAt: GAP.to })
  })

  it('keeps the last picture while the hand moves, but not as the picture of a gap', async () => {
    begin(new FakeRecorder(RECORDED), GAP.from - 20_000)
    await pass(500)
    const before = player.view.pictureAt
    player.seek(GAP.to + 20_000, true)
    expect(player.view).toMatchObject({ status: 'loading', pictureAt: before })
    player.seek(GAP.from + 5000, true)
    await pass(500)
    expect(player.view).toMatchObject({ status: 'gap', pictureAt: null })
  })

  it('steps picture by picture, also back before what was fetched', async () => {
    begin(new FakeRecorder(RECORDED), START + 50)
    await pass(500)
    player.step(1)
    await pass(200)
    expect(player.view.pictureAt).toBe(START + 100)
    for (const wanted of [START, START - 100, START - 200]) {
      player.step(-1)
      await pass(500)
      expect(player.view.pictureAt).toBe(wanted)
    }
  })

  it('fetches key frames only at high speed and all again below', async () => {
    const recorder = new FakeRecorder(RECORDED)
    begin(recorder, GAP.to).play()
    player.setRate(8)
    await pass(5000)
    expect(recorder.asked.at(-1)?.frames).toBe('key')
    expect(player.view.at - GAP.to).toBeGreaterThan(30_000)
    player.setRate(2)
    await pass(1000)
    expect(recorder.asked.at(-1)?.frames).toBe('all')
  })

  it('asks for a new look when it leaves the old one', async () => {
    const recorder = new FakeRecorder(RECORDED)
    begin(recorder, START)
    await pass(500)
    player.seek(START - 50 * 60_000)
    await pass(1000)
    expect(recorder.looks).toHaveLength(2)
    expect(player.view.status).toBe('ready')
    expect(recorder.looks[1]!.from).toBeLessThan(player.view.at)
  })

  it('asks anew where the gateway has forgotten the look', async () => {
    const recorder = new FakeRecorder(RECORDED)
    recorder.goneOnce = true
    begin(recorder, START)
    await pass(1000)
    expect(recorder.looks).toHaveLength(2)
    expect(player.view.status).toBe('ready')
  })

  it('stops at a refusal, asks no more, and tries again by command', async () => {
    const recorder = new FakeRecorder(RECORDED)
    recorder.isDenied = true
    begin(recorder, START).play()
    await pass(5000)
    expect(player.view).toMatchObject({ status: 'denied', isPlaying: false, pictureAt: null })
    expect(recorder.asked).toHaveLength(0)
    recorder.isDenied = false
    player.seek(START)
    await pass(1000)
    expect(player.view.status).toBe('ready')
  })

  it('waits at the end of what is recorded and goes on when more is', async () => {
    const spans = [{ from: START, to: NOW - 1000 }]
    begin(new FakeRecorder(spans), NOW - 6000).play()
    await pass(8000)
    expect(player.view.status).toBe('end')
    spans[0]!.to = NOW + HOUR
    await pass(20_000)
    expect(player.view.at).toBeGreaterThan(NOW + 3000)
  })
})
