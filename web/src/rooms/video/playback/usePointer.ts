/** The hand on the timeline: scrub, pan by the scale, drag an export mark, zoom by wheel or two fingers. */
import { useEffect, useRef, useState, type PointerEvent, type RefObject } from 'react'
import type { Interval } from '../../../lib/player/intervals'
import { instantAt, pan, spanOf, zoom } from './timeline'

export type Grip = 'scrub' | 'pan' | 'from' | 'to'

export interface PointerDeeds {
  view: Interval
  widthPx: number
  onView: (view: Interval) => void
  onSeek: (at: number, isScrubbing: boolean) => void
  onMark: (end: 'from' | 'to', at: number) => void
}

const WHEEL_STEP = 1.2

function gripOf(target: EventTarget | null): Grip {
  const grip = target instanceof Element ? target.closest('[data-grip]')?.getAttribute('data-grip') : null
  return grip === 'pan' || grip === 'from' || grip === 'to' ? grip : 'scrub'
}

export function usePointer(box: RefObject<HTMLElement | SVGElement | null>, deeds: PointerDeeds) {
  const latest = useRef(deeds)
  latest.current = deeds
  const fingers = useRef(new Map<number, number>())
  const grip = useRef<Grip | null>(null)
  const [hoverX, setHoverX] = useState<number | null>(null)

  const xIn = (clientX: number): number => clientX - (box.current?.getBoundingClientRect().left ?? 0)
  const instant = (x: number): number => instantAt(x, latest.current.view, latest.current.widthPx)

  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      const { view, widthPx, onView } = latest.current
      const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)
      const amount = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY
      if (isSideways) onView(pan(view, (amount / widthPx) * spanOf(view)))
      else onView(zoom(view, instantAt(xIn(event.clientX), view, widthPx), event.deltaY > 0 ? WHEEL_STEP : 1 / WHEEL_STEP))
    }
    element.addEventListener('wheel', onWheel as EventListener, { passive: false })
    return () => element.removeEventListener('wheel', onWheel as EventListener)
  }, [box])

  const pinch = (id: number, x: number) => {
    const [one, other] = [...fingers.current.entries()].map(([finger, at]) => ({ finger, at }))
    if (one === undefined || other === undefined) return
    const before = Math.abs(one.at - other.at)
    fingers.current.set(id, x)
    const [a, b] = [...fingers.current.values()]
    const after = Math.abs((a ?? 0) - (b ?? 0))
    if (before > 8 && after > 8) latest.current.onView(zoom(latest.current.view, instant(((a ?? 0) + (b ?? 0)) / 2), before / after))
  }

  const act = (x: number, moved: number, isMoving: boolean) => {
    const { view, widthPx, onView, onSeek, onMark } = latest.current
    if (grip.current === 'scrub') onSeek(instant(x), isMoving)
    else if (grip.current === 'pan') onView(pan(view, (-moved / widthPx) * spanOf(view)))
    else if (grip.current !== null) onMark(grip.current, instant(x))
  }

  return {
    hoverX,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        fingers.current.set(event.pointerId, xIn(event.clientX))
        grip.current = fingers.current.size > 1 ? null : gripOf(event.target)
        if (grip.current === 'scrub') act(xIn(event.clientX), 0, true)
      },
      onPointerMove: (event: PointerEvent) => {
        const x = xIn(event.clientX)
        setHoverX(x)
        const before = fingers.current.get(event.pointerId)
        if (before === undefined) return
        if (fingers.current.size > 1) pinch(event.pointerId, x)
        else act(x, x - before, true)
        fingers.current.set(event.pointerId, x)
      },
      onPointerUp: (event: PointerEvent) => {
        const isLast = fingers.current.delete(event.pointerId) && fingers.current.size === 0
        if (isLast && grip.current === 'scrub') act(xIn(event.clientX), 0, false)
        if (isLast) grip.current = null
      },
      onPointerCancel: (event: PointerEvent) => {
        fingers.current.delete(event.pointerId)
        grip.current = null
      },
      onPointerLeave: () => setHoverX(null),
    },
  }
}
