/** The wall as a value: how many tiles, which camera in which, which one is large. Kept in the address, so it can be shared. */
import type { Camera, Site } from '../../../api/wire'

export const SIZES = [1, 4, 9, 16] as const
export type WallSize = (typeof SIZES)[number]

export interface WallLayout {
  readonly size: WallSize
  /** One entry a tile; null is an empty tile. */
  readonly tiles: readonly (string | null)[]
  /** Index of the tile shown large, or null. */
  readonly large: number | null
}

const EMPTY_TILE = '-'

function pad(tiles: readonly (string | null)[], size: WallSize): (string | null)[] {
  return Array.from({ length: size }, (_, index) => tiles[index] ?? null)
}

function sizeFor(count: number): WallSize {
  return SIZES.find((size) => size >= count) ?? 16
}

/** Null where the address says nothing of a wall: then the first cameras fill it. */
export function parseLayout(params: URLSearchParams): WallLayout | null {
  const listed = params.get('c')
  if (listed === null) return null
  const tiles = listed.split(',').map((id) => (id === EMPTY_TILE || id === '' ? null : id))
  const asked = Number(params.get('n'))
  const size = SIZES.find((one) => one === asked) ?? sizeFor(tiles.length)
  const large = params.has('large') ? Number(params.get('large')) : Number.NaN
  const isLarge = Number.isInteger(large) && large >= 0 && large < size && (tiles[large] ?? null) !== null
  return { size, tiles: pad(tiles, size), large: isLarge ? large : null }
}

/** What stands in the address, other entries of it (the language) left alone. */
export function writeLayout(layout: WallLayout, params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params)
  next.set('n', String(layout.size))
  next.set('c', layout.tiles.map((id) => id ?? EMPTY_TILE).join(','))
  if (layout.large === null) next.delete('large')
  else next.set('large', String(layout.large))
  return next
}

/** One camera of each site, gates and other sites by turns so that a small wall shows some of both, then the rest. */
export function orderForWall(cameras: readonly Camera[], sites: readonly Site[]): string[] {
  const rank = new Map(sites.map((site, index) => [site.id, index]))
  const seen = new Map<string, number>()
  const next = { gate: 0, other: 0 }
  const bySite = [...cameras].sort((a, b) => (rank.get(a.site) ?? Infinity) - (rank.get(b.site) ?? Infinity))
  const rows = bySite.map((camera) => {
    const turn = seen.get(camera.site) ?? 0
    seen.set(camera.site, turn + 1)
    const kind = camera.gate === null ? 'other' : 'gate'
    const place = turn === 0 ? 2 * next[kind]++ + Number(kind === 'other') : 0
    return { id: camera.id, turn, place }
  })
  rows.sort((a, b) => a.turn - b.turn || a.place - b.place)
  return rows.map((row) => row.id)
}

export function fillFirst(order: readonly string[], size: WallSize): WallLayout {
  return { size, tiles: pad(order, size), large: null }
}

/** A wall shows each camera once: where it stood before, the tile takes what it pushes out. */
export function assign(layout: WallLayout, tile: number, camera: string | null): WallLayout {
  const tiles = [...layout.tiles]
  const before = camera === null ? -1 : tiles.indexOf(camera)
  if (before >= 0) tiles[before] = tiles[tile] ?? null
  tiles[tile] = camera
  return { ...layout, tiles, large: camera === null && layout.large === tile ? null : layout.large }
}

export function swap(layout: WallLayout, from: number, to: number): WallLayout {
  const tiles = [...layout.tiles]
  tiles[from] = layout.tiles[to] ?? null
  tiles[to] = layout.tiles[from] ?? null
  return { ...layout, tiles }
}

/** More tiles keep what is there and take the next cameras that are not on the wall; fewer keep the first ones. */
export function resize(layout: WallLayout, size: WallSize, order: readonly string[]): WallLayout {
  const kept = layout.tiles.slice(0, size)
  const spare = order.filter((id) => !kept.includes(id))
  const isGrowing = size > layout.size
  const tiles = pad(kept, size).map((id, index) => (id === null && isGrowing && index >= layout.size ? (spare.shift() ?? null) : id))
  return { size, tiles, large: null }
}

export function nextSize(size: WallSize, direction: 1 | -1): WallSize {
  return SIZES[SIZES.indexOf(size) + direction] ?? size
}

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'

/** The tile an arrow leads to; at an edge the focus stays. In a right-to-left page the first tile is on the right. */
export function moveFocus(tile: number, arrow: Arrow, columns: number, count: number, dir: 'ltr' | 'rtl'): number {
  const ahead: Arrow = dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
  const column = tile % columns
  if (arrow === 'ArrowUp') return tile >= columns ? tile - columns : tile
  if (arrow === 'ArrowDown') return tile + columns < count ? tile + columns : tile
  if (arrow === ahead) return column < columns - 1 && tile + 1 < count ? tile + 1 : tile
  return column > 0 ? tile - 1 : tile
}

/** The tile a chosen camera goes to next: the first empty one after this, else the next. */
export function tileAfter(layout: WallLayout, tile: number): number {
  const empty = layout.tiles.findIndex((id, index) => index > tile && id === null)
  return empty >= 0 ? empty : (tile + 1) % layout.size
}

export interface Box {
  readonly width: number
  readonly height: number
}

/** Largest 16:9 tile so that `columns` x `rows` of them with gaps fit the box. */
export function tileBox(box: Box, columns: number, rows: number, gapPx: number): Box {
  const across = (box.width - gapPx * (columns - 1)) / columns
  const down = (box.height - gapPx * (rows - 1)) / rows
  const width = Math.max(0, Math.floor(Math.min(across, (down * 16) / 9)))
  return { width, height: Math.floor((width * 9) / 16) }
}
