/** What a person on any page should hear of the queue: how many alerts wait, and which urgent one has just come. */
import { useEffect, useRef, useState } from 'react'
import { useOpenAlerts } from '../../api/response'
import type { Alert } from '../../api/wire'

/** Less urgent ones are counted, but not spoken. */
const SPOKEN_PRIORITY = 2

export function waiting(alerts: readonly Alert[]): number {
  return alerts.filter((alert) => alert.state === 'unacknowledged').length
}

/** The most urgent alert that was not there before; nothing is new to a page that has just opened. */
export function mostUrgentNew(before: ReadonlySet<string> | null, alerts: readonly Alert[]): Alert | null {
  if (before === null) return null
  return alerts.find((alert) => alert.priority <= SPOKEN_PRIORITY && alert.state === 'unacknowledged' && !before.has(alert.id)) ?? null
}

export interface AlertNews {
  waiting: number
  newest: Alert | null
}

export function useAlertNews(): AlertNews {
  const alerts = useOpenAlerts()
  const seen = useRef<ReadonlySet<string> | null>(null)
  const [newest, setNewest] = useState<Alert | null>(null)
  useEffect(() => {
    if (alerts === undefined) return
    const found = mostUrgentNew(seen.current, alerts)
    seen.current = new Set(alerts.map((alert) => alert.id))
    if (found !== null) setNewest(found)
  }, [alerts])
  return { waiting: alerts === undefined ? 0 : waiting(alerts), newest }
}
