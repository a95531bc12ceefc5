/** What a day of the ledger is made of, in the order in which it is drawn, nothing that is empty. */
import type { LedgerDay } from '../../../api/wire'

export interface Part {
  key: string
  kind: 'recorded' | 'recovered' | 'missing' | 'unexplained'
  cause: string | null
  seconds: number
}

export function partsOf(day: Pick<LedgerDay, 'recorded_s' | 'recovered_s' | 'missing_s' | 'unexplained_s'>): Part[] {
  const missing = Object.entries(day.missing_s)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([cause, seconds]): Part => ({ key: cause, kind: 'missing', cause, seconds }))
  const parts: Part[] = [
    { key: 'recorded', kind: 'recorded', cause: null, seconds: day.recorded_s },
    { key: 'recovered', kind: 'recovered', cause: null, seconds: day.recovered_s },
    ...missing,
    { key: 'unexplained', kind: 'unexplained', cause: null, seconds: day.unexplained_s },
  ]
  return parts.filter((part) => part.seconds > 0)
}
