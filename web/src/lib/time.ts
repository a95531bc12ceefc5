/** Instants as people here read them: local time of the city, 24 hours, the date where it matters. */

export interface Place {
  /** BCP 47 tag, e.g. "en-GB" or "ur-PK-u-nu-latn". */
  locale: string
  /** IANA zone of the city; undefined is this machine's own. */
  zone: string | undefined
}

export type Instant = string | number | Date

const kept = new Map<string, Intl.DateTimeFormat>()
/** Formatters are dear to make; there are few kinds. */
const KEPT_FORMATTERS = 32

function formatter(place: Place, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${place.locale}|${place.zone}|${JSON.stringify(options)}`
  let found = kept.get(key)
  if (found === undefined) {
    if (kept.size >= KEPT_FORMATTERS) kept.clear()
    found = new Intl.DateTimeFormat(place.locale, { ...options, timeZone: place.zone, hourCycle: 'h23' })
    kept.set(key, found)
  }
  return found
}

const asDate = (instant: Instant): Date => (instant instanceof Date ? instant : new Date(instant))

/** "14:05:09" */
export function clockTime(instant: Instant, place: Place): string {
  return formatter(place, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(asDate(instant))
}

/** "14:05" */
export function shortTime(instant: Instant, place: Place): string {
  return formatter(place, { hour: '2-digit', minute: '2-digit' }).format(asDate(instant))
}

/** "Tue 24 Nov" */
export function dayName(instant: Instant, place: Place): string {
  return formatter(place, { weekday: 'short', day: 'numeric', month: 'short' }).format(asDate(instant)).replace(',', '')
}

/** "24 Nov 2026, 14:05:09" */
export function dateTime(instant: Instant, place: Place): string {
  const day = formatter(place, { day: 'numeric', month: 'short', year: 'numeric' }).format(asDate(instant))
  return `${day}${place.locale.startsWith('ur') ? '، ' : ', '}${clockTime(instant, place)}`
}

export function isSameDay(one: Instant, other: Instant, place: Place): boolean {
  const day = formatter(place, { year: 'numeric', month: '2-digit', day: '2-digit' })
  return day.format(asDate(one)) === day.format(asDate(other))
}

/** The time alone for today, with its date otherwise: "14:05:09" or "24 Nov 2026, 14:05:09". */
export function timeSeenFrom(now: Instant, instant: Instant, place: Place): string {
  return isSameDay(now, instant, place) ? clockTime(instant, place) : dateTime(instant, place)
}

/** Whole seconds as "45 s", "12:03" (minutes) or "3:12:03" (hours). */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole}\u00a0s`
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
