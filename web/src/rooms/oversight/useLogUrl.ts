import { useSearchParams } from 'react-router'

export interface LogUrl {
  /** Only entries below this index; null is the newest. */
  before: number | null
  type: string | null
  /** The entry that is open. */
  leaf: number | null
}

const whole = (value: string | null): number | null => (value !== null && /^\d+$/.test(value) ? Number(value) : null)

/** What the Log shows stands in the address, so that it can be sent to somebody. */
export function useLogUrl(): [LogUrl, (change: Partial<LogUrl>) => void] {
  const [params, setParams] = useSearchParams()
  const url: LogUrl = { before: whole(params.get('before')), type: params.get('type'), leaf: whole(params.get('leaf')) }
  const change = (part: Partial<LogUrl>) => {
    const next = new URLSearchParams()
    for (const [name, value] of Object.entries({ ...url, ...part })) if (value !== null) next.set(name, String(value))
    setParams(next, { replace: part.before === undefined })
  }
  return [url, change]
}
