import type { Unit } from '../api/wire'
import { useI18n } from '../i18n/i18n'

export type UnitKind = Unit['kind']

/** A sign for each kind of unit, 16x16, the same in lists and on the map: shield, cone, cross, flame. */
export const unitSigns: Record<UnitKind, string> = {
  police: 'M8 1.800 13.500 3.600v4.600c0 3.400-2.300 5.200-5.500 6.200-3.200-1-5.500-2.800-5.500-6.200V3.600L8 1.800Z',
  traffic: 'M8 1.800 12.600 13.600H3.400L8 1.800ZM5.600 8.200h4.800M1.800 13.800h12.400',
  ambulance: 'M5.900 1.900h4.200v4h4v4.200h-4v4H5.900v-4h-4V5.900h4v-4Z',
  fire: 'M8 1.500c.6 2.600 4.300 4.200 4.300 7.900A4.300 4.300 0 0 1 8 14.200a4.300 4.300 0 0 1-4.300-4.800c.1-1.600 1-2.500 1.700-3.500.3 1 .7 1.500 1.300 1.700C6.500 5.300 6.900 3 8 1.500Z',
}

/** What a unit is, by sign and by word; the word alone for a screen reader where there is no room for it. */
export function UnitMark({ kind, compact = false, size = 16 }: { kind: UnitKind; compact?: boolean; size?: number }) {
  const { t } = useI18n()
  const word = t(`unit.kind.${kind}`)
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: '0.35em', whiteSpace: 'nowrap' }} title={compact ? word : undefined}>
      <svg width={`${size / 16}rem`} height={`${size / 16}rem`} viewBox="0 0 16 16" className="sc-icon" fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" strokeLinecap="round" aria-hidden="true">
        <path d={unitSigns[kind]} />
      </svg>
      <span className={compact ? 'sc-hidden' : undefined}>{word}</span>
    </span>
  )
}
