/** J, K and the arrows move the focus through the rows of a list; Enter belongs to the row, which is a link. */
import type { RefObject } from 'react'
import { useI18n } from '../i18n/i18n'
import { useKeys } from '../lib/keys'

/** Rows are the elements marked `data-row` inside the box. */
export function useRowKeys(box: RefObject<HTMLElement | null>): void {
  const { t } = useI18n()
  const move = (by: number) => {
    const rows = [...(box.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
    const at = rows.findIndex((row) => row.contains(document.activeElement))
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))]
    next?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }
  useKeys([
    { chord: 'j', label: t('keys.down'), run: () => move(1) },
    { chord: 'ArrowDown', label: t('keys.down'), run: () => move(1) },
    { chord: 'k', label: t('keys.up'), run: () => move(-1) },
    { chord: 'ArrowUp', label: t('keys.up'), run: () => move(-1) },
  ])
}
