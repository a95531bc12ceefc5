/** A distance as people say it: whole tens of metres up to a kilometre, then kilometres with one decimal. */
export interface Said {
  unit: 'm' | 'km'
  n: string
}

export function sayDistance(metres: number): Said {
  const tens = Math.round(Math.max(0, metres) / 10) * 10
  if (tens < 1000) return { unit: 'm', n: String(tens) }
  const km = metres / 1000
  return { unit: 'km', n: km >= 20 ? km.toFixed(0) : km.toFixed(1) }
}

/** An age as people say it: seconds, then whole minutes, then whole hours, never more than it is. */
export function sayAge(seconds: number): { unit: 'sec' | 'min' | 'hour'; n: number } {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return { unit: 'sec', n: whole }
  if (whole < 7200) return { unit: 'min', n: Math.floor(whole / 60) }
  return { unit: 'hour', n: Math.floor(whole / 3600) }
}

/** Metres between two places by haversine, on a sphere of the Earth's mean radius; better than 0.6 %. */
export function metresBetween(one: { lon: number; lat: number }, other: { lon: number; lat: number }): number {
  const rad = Math.PI / 180
  const a = Math.sin(((other.lat - one.lat) * rad) / 2) ** 2
    + Math.cos(one.lat * rad) * Math.cos(other.lat * rad) * Math.sin(((other.lon - one.lon) * rad) / 2) ** 2
  return 2 * 6_371_009 * Math.asin(Math.sqrt(a))
}

/** "30.1984, 67.0126" (latitude first, as people and phones write it); null where it is no place on Earth. */
export function readPlace(text: string): { lon: number; lat: number } | null {
  const found = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,،;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text)
  if (found === null) return null
  const [lat, lon] = [Number(found[1]), Number(found[2])]
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lon, lat } : null
}
