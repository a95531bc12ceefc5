import { describe, expect, it } from 'vitest'
import {
  CLOSE_BUSY, CLOSE_DENIED, CLOSE_NO_CAMERA, CLOSE_SIGNED_OUT, FIRST_PICTURE_WITHIN_MS, INITIAL_FACTS, judgeLive, mayRetry, reduceLive,
  STALL_AFTER_MS, TRIES_BEFORE_FAILED, type LiveEvent, type LiveFacts,
} from './liveModel'
import { pick, seeded } from './seeded'

const after = (...events: LiveEvent[]): LiveFacts => events.reduce(reduceLive, INITIAL_FACTS)
const open: LiveEvent[] = [{ type: 'dialled' }, { type: 'opened', at: 0 }]
const fragment = (at: number): LiveEvent => ({ type: 'fragment', at })
const shown = (at: number): LiveEvent => ({ type: 'shown', at })
const closed = (code: number, reason = '', at = 5000): LiveEvent => ({ type: 'closed', code, reason, at })
const server = (state: 'live' | 'stalled' | 'offline', since: number | null = null): LiveEvent => ({ type: 'server', state, since })

describe('judgeLive', () => {
  it('is connecting until a picture has been shown', () => {
    expect(judgeLive(after({ type: 'dialled' }), 10).state).toBe('connecting')
    expect(judgeLive(after(...open), 10).state).toBe('connecting')
    expect(judgeLive(after(...open, fragment(20)), 30).state).toBe('connecting')
    expect(judgeLive(after(...open, fragment(20), shown(30)), 40).state).toBe('live')
  })

  it('is stalled by silence even where the server says live', () => {
    const facts = after(...open, server('live'), fragment(1000), shown(1010))
    expect(judgeLive(facts, 1000 + STALL_AFTER_MS).state).toBe('live')
    expect(judgeLive(facts, 1001 + STALL_AFTER_MS)).toMatchObject({ state: 'stalled', cause: 'silence', since: 1000 })
  })

  it('is stalled where data arrives and no picture comes out', () => {
    const facts = after(...open, fragment(1000), shown(1010), fragment(3500), fragment(4000))
    expect(judgeLive(facts, 4001)).toMatchObject({ state: 'stalled', cause: 'picture', since: 1010 })
  })

  it('is stalled where the first picture never comes', () => {
    expect(judgeLive(after(...open), FIRST_PICTURE_WITHIN_MS + 1)).toMatchObject({ state: 'stalled', since: 0 })
  })

  it('believes the server that it is worse, from when the server says', () => {
    const facts = after(...open, fragment(1000), shown(1010), server('offline', 400))
    expect(judgeLive(facts, 1500)).toMatchObject({ state: 'offline', cause: 'camera', since: 400 })
    expect(judgeLive(reduceLive(facts, server('live')), 1500).state).toBe('live')
  })

  it('never counts from the future where the clocks differ', () => {
    const facts = after(...open, server('stalled', 9_999_999))
    expect(judgeLive(facts, 2000).since).toBe(2000)
  })

  it.each([
    [CLOSE_SIGNED_OUT, 'denied', 'signed_out', false],
    [CLOSE_DENIED, 'denied', 'refused', false],
    [CLOSE_NO_CAMERA, 'failed', 'unknown_camera', false],
    [CLOSE_BUSY, 'failed', 'busy', true],
  ])('code %d is %s', (code, state, cause, retries) => {
    const facts = after(...open, closed(code, 'a sentence'))
    expect(judgeLive(facts, 6000)).toMatchObject({ state, cause, reason: 'a sentence' })
    expect(mayRetry(facts)).toBe(retries)
  })

  it('says that the gateway fails after some tries, and since when', () => {
    let facts = after(...open, fragment(1000), shown(1200), closed(1006, '', 1300))
    expect(judgeLive(facts, 1400)).toMatchObject({ state: 'connecting', since: 1200 })
    for (let i = 1; i < TRIES_BEFORE_FAILED; i += 1) facts = [{ type: 'dialled' } as LiveEvent, closed(1006, '', 9000)].reduce(reduceLive, facts)
    expect(judgeLive(facts, 9500)).toMatchObject({ state: 'failed', cause: 'network', since: 1200 })
    expect(mayRetry(facts)).toBe(true)
  })

  it('waits for a codec it can play, and goes on with it', () => {
    const unplayable = after(...open, fragment(100), shown(100), { type: 'init', isPlayable: false })
    expect(judgeLive(unplayable, 200)).toMatchObject({ state: 'failed', cause: 'codec' })
    const again = [{ type: 'init', isPlayable: true } as LiveEvent, fragment(300), shown(310)].reduce(reduceLive, unplayable)
    expect(judgeLive(again, 320).state).toBe('live')
  })

  it('says what is to be done where a camera has no stream that this browser plays', () => {
    const cause = (sent: 'sub' | 'main' | null, asked: 'sub' | 'main') => judgeLive(after(...open, { type: 'init', isPlayable: false, sent, asked }), 200).cause
    expect(cause('main', 'main')).toBe('codec')
    expect(cause('sub', 'sub')).toBe('codec_sub')
    expect(cause('main', 'sub')).toBe('codec_no_sub')
  })

  it('is never live without a fragment and a picture within two seconds, whatever happened', () => {
    const random = seeded(7)
    for (let run = 0; run < 400; run += 1) {
      let facts = INITIAL_FACTS
      let now = 0
      let isOpen = false
      for (let step = 0; step < 40; step += 1) {
        now += Math.floor(random() * 900)
        const event = pick<LiveEvent>(random, [
          { type: 'dialled' }, { type: 'opened', at: now }, fragment(now), fragment(now), shown(now), shown(now),
          server('live'), server('stalled', now - 1000), server('offline'), closed(1006, '', now), { type: 'paused' }, { type: 'broken' }, { type: 'init', isPlayable: random() < 0.8 },
        ])
        facts = reduceLive(facts, event)
        if (event.type === 'opened') isOpen = true
        if (event.type === 'dialled' || event.type === 'closed' || event.type === 'paused') isOpen = false
        const { state } = judgeLive(facts, now + Math.floor(random() * 3000))
        if (state !== 'live') continue
        expect(isOpen).toBe(true)
        expect(facts.server?.state ?? 'live').toBe('live')
        expect(now - (facts.fragmentAt ?? -1e9)).toBeLessThanOrEqual(STALL_AFTER_MS)
        expect(now - (facts.shownAt ?? -1e9)).toBeLessThanOrEqual(STALL_AFTER_MS)
      }
    }
  })
})
