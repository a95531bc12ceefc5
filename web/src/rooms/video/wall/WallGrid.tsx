import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { Camera } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { tileBox, type Box, type WallLayout } from './layout'
import { Tile, TileSlot } from './Tile'
import classes from './Wall.module.css'

export const GAP_PX = 4

/** Size of an element's content, renewed when it changes. */
function useBox(): [(element: HTMLElement | null) => void, Box] {
  const [element, setElement] = useState<HTMLElement | null>(null)
  const [box, setBox] = useState<Box>({ width: 0, height: 0 })
  useEffect(() => {
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setBox({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [element])
  return [setElement, box]
}

export interface WallGridProps {
  layout: WallLayout
  cameras: ReadonlyMap<string, Camera>
  selected: number
  isPhone: boolean
  onSelect: (tile: number) => void
  onOpen: (tile: number) => void
  onPlayback: (camera: string, at: number) => void
  onAssign: (tile: number, camera: string | null) => void
  onSwap: (from: number, to: number) => void
  onChoose: (tile: number) => void
  /** More buttons for a camera's tile, from another room. */
  tools?: ((camera: string) => ReactNode) | undefined
  /** What lies over a camera's picture. */
  over: (camera: string, isSelected: boolean) => ReactNode
}

/** The tiles at 16:9, as large as the place allows; on a phone one below the other. */
export function WallGrid(props: WallGridProps) {
  const { layout, cameras, selected, isPhone, onSelect, onOpen, onPlayback, onAssign, onSwap, onChoose, tools, over } = props
  const { t } = useI18n()
  const [setElement, box] = useBox()
  const grid = useRef<HTMLDivElement>(null)
  const columns = isPhone ? 1 : Math.sqrt(layout.size)
  const fitted = tileBox(box, columns, columns, GAP_PX)
  const tile = isPhone ? { width: box.width, height: Math.floor((box.width * 9) / 16) } : fitted

  useEffect(() => {
    // The focus follows the selection only where it already is on the wall: it is never taken from the search field.
    if (grid.current?.contains(document.activeElement) !== true) return
    grid.current.querySelector<HTMLElement>(`[data-tile="${selected}"]`)?.focus()
  }, [selected])

  const large = layout.large === null ? null : (cameras.get(layout.tiles[layout.large] ?? '') ?? null)
  if (large !== null && layout.large !== null) {
    const index = layout.large
    return (
      <div className={classes['large']} data-large>
        <Tile key={large.id} camera={large} isSelected isLarge onOpen={() => onOpen(index)} onPlayback={(at) => onPlayback(large.id, at)} onClear={() => onOpen(index)} tools={tools?.(large.id)} over={over(large.id, true)} />
      </div>
    )
  }
  return (
    <div ref={setElement} className={classes['field']} data-phone={isPhone || undefined}>
      <div ref={grid} className={classes['grid']} role="grid" aria-label={t('video.wall')} style={{ gridTemplateColumns: `repeat(${columns}, ${tile.width}px)`, gridAutoRows: `${tile.height}px` }}>
        {tile.width === 0 ? null : layout.tiles.map((id, index) => {
          const camera = id === null ? null : (cameras.get(id) ?? null)
          return (
            <TileSlot
              key={index}
              index={index}
              camera={camera}
              unknownId={id !== null && camera === null ? id : null}
              isSelected={index === selected}
              onSelect={() => onSelect(index)}
              onOpen={() => onOpen(index)}
              onPlayback={(at) => id !== null && onPlayback(id, at)}
              onClear={() => onAssign(index, null)}
              onDropCamera={(dropped) => onAssign(index, dropped)}
              onDropTile={(from) => onSwap(from, index)}
              onChoose={() => onChoose(index)}
              tools={id === null ? undefined : tools?.(id)}
              over={id === null ? undefined : over(id, index === selected)}
            />
          )
        })}
      </div>
    </div>
  )
}
