/** Distances and ages in the page's language. */
import { useMemo } from 'react'
import { useI18n } from '../i18n/i18n'
import { sayAge, sayDistance } from '../lib/distance'

export function useSay(): { distance: (metres: number) => string; age: (seconds: number) => string } {
  const { t } = useI18n()
  return useMemo(
    () => ({
      distance: (metres) => {
        const { unit, n } = sayDistance(metres)
        return t(`unit.${unit}`, { n })
      },
      age: (seconds) => {
        const { unit, n } = sayAge(seconds)
        return t(`unit.${unit}`, { n })
      },
    }),
    [t],
  )
}
