import { describe, expect, it } from 'vitest'
import { ApiError } from './client'
import { backOffMs, keepLive, type LinkPort, type LinkState } from './link'
import type { StateSnapshot } from './wire'

const change = (cursor: number, state: string): string =>
  `event: sites.camera_state_changed\nid: ${cursor}\ndata: {"subject":"cam-1","time":"2026-01-01T00:00:0${cursor}Z","data":{"camera":"cam-1","state":"${state}","since":"2026-01-01T00:00:0${cursor}Z","cause":null}}\n\n`

const EMPTY = { alerts: {}, incidents: {}, units: {} }

type Turn = Error | readonly string[]

/** A server that answers each opening of the stream with the next turn, and ends the test after the last. */
function play(turns: readonly Turn[], snapshots: readonly StateSnapshot[] = [{ cursor: 1, cameras: {}, ...EMPTY }]) {
  const over = new AbortController()
  const seen = { links: [] as LinkState[], after: [] as number[], states: [] as StateSnapshot[], waits: [] as number[], fetched: 0, signedOut: 0 }
  let turn = 0
  const port: LinkPort = {
    snapshot: async () => snapshots[Math.min(seen.fetched++, snapshots.length - 1)] as StateSnapshot,
    stream: async (after) => {
      seen.after.push(after)
      const now = turns[turn++]
      if (now === undefined) {
        over.abort()
        throw new Error('the test is over')
      }
      if (now instanceof Error) throw now
      return (async function* () {
        yield* now
      })()
    },
    onState: (state) => seen.states.push(state),
    onLink: (link) => seen.links.push(link),
    onSignedOut: () => (seen.signedOut += 1),
    wait: async (ms) => void seen.waits.push(ms),
    random: () => 1,
  }
  return { run: keepLive(port, over.signal), seen }
}

describe('keepLive', () => {
  it('resumes after the last event it applied, without a new snapshot', async () => {
    const { run, seen } = play([[change(2, 'offline'), change(3, 'live')], [change(4, 'stalled')]])
    await run
    expect(seen.after).toEqual([1, 3, 4])
    expect(seen.fetched).toBe(1)
    expect(seen.states.at(-1)?.cameras['cam-1']?.state).toBe('stalled')
  })

  it('says that the link is lost, waits longer each time, and recovers', async () => {
    const { run, seen } = play([new Error('down'), new Error('down'), new Error('down'), [change(2, 'live')]])
    await run
    expect(seen.links).toContain('lost')
    expect(seen.links.lastIndexOf('open')).toBeGreaterThan(seen.links.indexOf('lost'))
    expect(seen.waits.slice(0, 3)).toEqual([500, 1000, 2000])
    expect(seen.waits[3]).toBe(500)
  })

  it('fetches anew where the server no longer has the events after our cursor', async () => {
    const fresh = { cursor: 90, cameras: {}, ...EMPTY }
    const { run, seen } = play([new ApiError(410, {}), [change(2, 'live')]], [{ cursor: 1, cameras: {}, ...EMPTY }, fresh])
    await run
    expect(seen.fetched).toBe(2)
    expect(seen.after).toEqual([1, 90, 90])
  })

  it('stops where the session has ended', async () => {
    const { run, seen } = play([new ApiError(401, {})])
    await run
    expect(seen.signedOut).toBe(1)
    expect(seen.links.at(-1)).toBe('closed')
  })
})

describe('backOffMs', () => {
  it('grows, stays under its limit, and is spread by chance', () => {
    expect(backOffMs(0, 0)).toBe(250)
    expect(backOffMs(0, 1)).toBe(500)
    for (let failures = 0; failures < 100; failures += 1) expect(backOffMs(failures, 1)).toBeLessThanOrEqual(15_000)
    expect(backOffMs(50, 0)).toBe(7_500)
  })
})
