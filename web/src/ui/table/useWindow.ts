import { useEffect, useState, type RefObject } from 'react'

/** Rows drawn beyond the edge, so that a quick scroll meets no blank. */
const BEYOND = 8

/** Which rows of a scrolled box are in sight: [first, last). */
export function useWindow(box: RefObject<HTMLElement | null>, rows: number, rowPx: number): { first: number; last: number } {
  const [range, setRange] = useState({ first: 0, last: 40 })
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const measure = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / rowPx) - BEYOND)
      const last = Math.min(rows, Math.ceil((element.scrollTop + element.clientHeight) / rowPx) + BEYOND)
      setRange((now) => (now.first === first && now.last === last ? now : { first, last }))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [box, rows, rowPx])
  const last = Math.min(range.last, rows)
  return { first: Math.min(range.first, last), last }
}
