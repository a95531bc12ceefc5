import { useEffect, useRef, useState } from 'react'
import type { States } from '../states'

export interface LiveHistory {
  /** Epoch seconds, rising. */
  at: number[]
  live: number[]
  total: number[]
}

const EVERY_MS = 2_000
/** Ten minutes. */
const KEPT = 300

/** What this browser saw since the page was opened, kept over changes of the page; nobody else's numbers. */
const history: LiveHistory = { at: [], live: [], total: [] }

function note(states: States, atS: number): void {
  const entries = Object.values(states)
  if (entries.length === 0) return
  history.at.push(atS)
  history.live.push(entries.filter((entry) => entry.state === 'live').length)
  history.total.push(entries.length)
  for (const series of [history.at, history.live, history.total]) series.splice(0, series.length - KEPT)
}

export function useLiveHistory(states: States): LiveHistory {
  const latest = useRef(states)
  latest.current = states
  const [shown, setShown] = useState<LiveHistory>({ ...history })
  useEffect(() => {
    const sample = () => {
      note(latest.current, Date.now() / 1000)
      setShown({ ...history })
    }
    sample()
    const timer = setInterval(sample, EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return shown
}
