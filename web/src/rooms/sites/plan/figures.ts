/** How figures of the plan are written, and under which heading; pure. */
import type { PlanLine } from '../../../api/wire'

/** What part of the plan a figure belongs to. */
export const PARTS = ['storage', 'network', 'computing', 'database', 'power', 'drivers', 'other'] as const
export type PlanPart = (typeof PARTS)[number]

const BEGINNINGS: readonly (readonly [string, PlanPart])[] = [
  ['storage', 'storage'], ['disks', 'storage'], ['network', 'network'], ['write_bandwidth', 'network'],
  ['cores', 'computing'], ['recorder_processes', 'computing'], ['servers', 'computing'], ['memory', 'computing'],
  ['database', 'database'], ['power', 'power'], ['driver', 'drivers'],
]

/** A figure that a newer server adds goes to the end, not away. */
export function partOf(key: string): PlanPart {
  return BEGINNINGS.find(([beginning]) => key.startsWith(beginning))?.[1] ?? 'other'
}

export function grouped(lines: readonly PlanLine[]): { part: PlanPart; lines: PlanLine[] }[] {
  return PARTS.map((part) => ({ part, lines: lines.filter((line) => partOf(line.key) === part) })).filter((one) => one.lines.length > 0)
}

/** Three or four figures are all that an extrapolation carries; 1814 is "1,814", 0.3264 is "0.326". */
export function figure(value: number): string {
  return new Intl.NumberFormat('en', Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 }).format(value)
}

/** The nearest number that the plan is for. */
export function within(value: number | string, least: number, most: number): number | null {
  const number = typeof value === 'number' ? value : Number.parseFloat(value)
  return Number.isFinite(number) && number >= least && number <= most ? number : null
}
