/** Amounts with their unit, short enough for a table; a no-break space keeps both together. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

function significant(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Decimal units, as disks are sold: 5_200_000 is "5.20 MB". */
export function bytes(amount: number): string {
  let unit = 0
  let value = amount
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${significant(value)}\u00a0${BYTE_UNITS[unit]}`
}

/** Bits a second: 4_000_000 is "4 Mbit/s". */
export function bitrate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${significant(bitsPerSecond / 1e6)}\u00a0Mbit/s`
  return `${(bitsPerSecond / 1e3).toFixed(0)}\u00a0kbit/s`
}

export function count(amount: number): string {
  return new Intl.NumberFormat('en', { useGrouping: true }).format(amount)
}

/** A share as per cent; 0.9996 is "99.9 %", never rounded up to a false 100 nor down to a false 0. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '–'
  if (part > 0 && part / whole < 0.001) return '<\u00a00.1\u00a0%'
  const share = Math.floor((part / whole) * 1000) / 10
  return `${Number.isInteger(share) ? share.toFixed(0) : share.toFixed(1)}\u00a0%`
}
