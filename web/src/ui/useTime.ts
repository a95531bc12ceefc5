/** lib/time bound to the page's language and the city's zone. */
import { useEffect, useMemo, useState } from 'react'
import { useConfig } from '../api/queries'
import { useI18n } from '../i18n/i18n'
import * as time from '../lib/time'

export interface TimeFormat {
  place: time.Place
  clock: (instant: time.Instant) => string
  short: (instant: time.Instant) => string
  day: (instant: time.Instant) => string
  full: (instant: time.Instant) => string
  /** The time alone for today, with its date otherwise; a dash where nobody knows. */
  seen: (instant: time.Instant | null) => string
}

export function useTime(): TimeFormat {
  const { locale } = useI18n()
  const zone = useConfig().data?.time_zone
  return useMemo(() => {
    const place: time.Place = { locale, zone }
    return {
      place,
      clock: (instant) => time.clockTime(instant, place),
      short: (instant) => time.shortTime(instant, place),
      day: (instant) => time.dayName(instant, place),
      full: (instant) => time.dateTime(instant, place),
      seen: (instant) => (instant === null ? '–' : time.timeSeenFrom(Date.now(), instant, place)),
    }
  }, [locale, zone])
}

/** The present, renewed each `everyMs`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
