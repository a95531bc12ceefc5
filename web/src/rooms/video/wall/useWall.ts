/** The wall of this page: its layout in the address, the selected tile, and what may be done to them. */
import { useEffect, useMemo, useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { useCameras, useSites } from '../../../api/queries'
import type { Camera } from '../../../api/wire'
import { assign, fillFirst, orderForWall, parseLayout, resize, swap, tileAfter, writeLayout, type WallLayout, type WallSize } from './layout'
import type { CameraEntry } from './searchCameras'

const FIRST_SIZE: WallSize = 4
/** Whoever opens the recording of what just happened wants to see it happen. */
const REPLAY_MS = 5_000

export function useRegistry() {
  const cameras = useCameras()
  const sites = useSites()
  return useMemo(() => {
    const siteById = new Map((sites.data ?? []).map((site) => [site.id, site]))
    const list = cameras.data ?? []
    const order = orderForWall(list, sites.data ?? [])
    const byId = new Map(list.map((camera) => [camera.id, camera]))
    const entries: CameraEntry[] = list.map((camera) => ({ camera, site: siteById.get(camera.site) ?? null }))
    const isReady = cameras.data !== undefined && sites.data !== undefined
    const error = cameras.error ?? sites.error
    return { byId, entries, order, isReady, error, retry: () => void Promise.all([cameras.refetch(), sites.refetch()]) }
  }, [cameras, sites])
}

export interface Wall {
  layout: WallLayout
  selected: number
  select: (tile: number) => void
  open: (tile: number) => void
  back: () => void
  assign: (tile: number, camera: string | null) => void
  /** Puts a camera into the selected tile and moves on. */
  place: (camera: string) => void
  swap: (from: number, to: number) => void
  resize: (size: WallSize) => void
  playback: (camera: string, at: number) => void
}

export function useWall(order: readonly string[], cameras: ReadonlyMap<string, Camera>): Wall {
  const [params, setParams] = useSearchParams()
  const navigate = useNavigate()
  const [selected, setSelected] = useState(0)
  const asked = useMemo(() => parseLayout(params), [params])
  const layout = useMemo(() => asked ?? fillFirst(order, FIRST_SIZE), [asked, order])
  const write = (next: WallLayout, replace = true) => setParams(writeLayout(next, params), { replace })

  useEffect(() => {
    if (asked === null && cameras.size > 0) setParams((now) => writeLayout(layout, now), { replace: true })
  }, [asked, cameras, layout, setParams])

  const select = (tile: number) => setSelected(Math.min(tile, layout.size - 1))
  return {
    layout,
    selected: Math.min(selected, layout.size - 1),
    select,
    open: (tile) => {
      if (layout.tiles[tile] === null) return
      setSelected(tile)
      write({ ...layout, large: layout.large === null ? tile : null }, layout.large !== null)
    },
    back: () => write({ ...layout, large: null }),
    assign: (tile, camera) => write(assign(layout, tile, camera)),
    place: (camera) => {
      const next = assign(layout, selected, camera)
      write(layout.large === null ? next : { ...next, large: selected })
      if (layout.large === null) setSelected(tileAfter(next, selected))
    },
    swap: (from, to) => write(swap(layout, from, to)),
    resize: (size) => write(resize(layout, size, order)),
    playback: (camera, at) => void navigate(`/playback?camera=${encodeURIComponent(camera)}&at=${new Date(at - REPLAY_MS).toISOString()}`),
  }
}
