import { useRef, useState, type PointerEvent } from 'react'
import { boxOf, pictureIn, type Box, type Place } from './box'
import classes from './Head.module.css'

function shapeOf(tile: HTMLElement): { width: number; height: number } {
  const picture = tile.querySelector<HTMLVideoElement | HTMLCanvasElement>('video, canvas')
  if (picture instanceof HTMLVideoElement) return { width: picture.videoWidth, height: picture.videoHeight }
  return { width: picture?.width ?? 0, height: picture?.height ?? 0 }
}

/** Over the picture: a box drawn on it is what the camera shall show; a click is what it shall have in the middle. */
export function BoxLayer({ tile, label, onBox }: { tile: HTMLElement; label: string; onBox: (box: Box) => void }) {
  const layer = useRef<HTMLDivElement>(null)
  const [from, setFrom] = useState<Place | null>(null)
  const [to, setTo] = useState<Place | null>(null)
  const placeOf = (event: PointerEvent): Place => {
    const frame = layer.current?.getBoundingClientRect()
    return { x: event.clientX - (frame?.left ?? 0), y: event.clientY - (frame?.top ?? 0) }
  }
  const end = (event: PointerEvent) => {
    const frame = layer.current
    if (from === null || frame === null) return
    const picture = pictureIn({ width: frame.clientWidth, height: frame.clientHeight }, shapeOf(tile))
    onBox(boxOf(from, placeOf(event), picture))
    setFrom(null)
    setTo(null)
  }
  return (
    <div
      ref={layer}
      className={classes['layer']}
      role="img"
      aria-label={label}
      // The tile beneath is dragged to other places of the wall; a box is not.
      draggable
      onDragStart={(event) => {
        event.preventDefault()
        event.stopPropagation()
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        setFrom(placeOf(event))
        setTo(placeOf(event))
      }}
      onPointerMove={(event) => from !== null && setTo(placeOf(event))}
      onPointerUp={end}
      onPointerCancel={() => setFrom(null)}
    >
      {from === null || to === null ? null : (
        // Pixels of the screen, not of the text's direction.
        <span className={classes['box']} style={{ left: Math.min(from.x, to.x), top: Math.min(from.y, to.y), width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y) }} />
      )}
    </div>
  )
}
