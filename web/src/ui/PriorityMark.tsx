import { useI18n } from '../i18n/i18n'
import classes from './PriorityMark.module.css'

export type Priority = 1 | 2 | 3 | 4

/** Fewer corners, less urgent: octagon, diamond, square, circle; the digit and the word say it too. */
export const priorityOutlines: Record<Priority, string> = {
  1: 'M6.300 1.500h7.400l4.800 4.800v7.400l-4.800 4.800H6.300l-4.800-4.800V6.300L6.300 1.500Z',
  2: 'M10 .800 19.200 10 10 19.200.800 10 10 .800Z',
  3: 'M2.500 2.500h15v15h-15z',
  4: 'M10 1.800a8.200 8.200 0 1 1 0 16.400 8.200 8.200 0 0 1 0-16.400Z',
}

const known = (priority: number): Priority => (priority <= 1 ? 1 : priority >= 4 ? 4 : (priority as Priority))

/** How urgent: colour, shape, digit and word together. */
export function PriorityMark({ priority, compact = false, size = 22 }: { priority: number; compact?: boolean; size?: number }) {
  const { t } = useI18n()
  const rank = known(priority)
  const word = t(`priority.${rank}`)
  return (
    <span className={classes['mark']} data-priority={rank} title={compact ? word : undefined}>
      <svg width={`${size / 16}rem`} height={`${size / 16}rem`} viewBox="0 0 20 20" className="sc-icon" aria-hidden="true">
        <path d={priorityOutlines[rank]} />
        <text x="10" y="14.200" textAnchor="middle">{rank}</text>
      </svg>
      <span className={compact ? 'sc-hidden' : undefined}>{word}</span>
    </span>
  )
}
