import { describe, expect, it } from 'vitest'
import type { Camera, Site } from '../../../api/wire'
import { pick, seeded } from '../../../lib/player/seeded'
import { assign, fillFirst, moveFocus, nextSize, orderForWall, parseLayout, resize, SIZES, swap, tileAfter, tileBox, writeLayout, type Arrow, type WallLayout } from './layout'
import { searchCameras } from './searchCameras'

function camera(id: string, site: string, gate: string | null = null): Camera {
  return { id, code: id.toUpperCase(), range_m: null, site, gate, name: `Camera ${id}`, name_ur: `کیمرا ${id}`, lon: 0, lat: 0, bearing_deg: 0, fov_deg: 0, state: 'live', since: '', cause: null }
}
const site = (id: string): Site => ({ id, name: `Site ${id}`, name_ur: `مقام ${id}`, district: 'Sariab', lon: 0, lat: 0, cameras: [] })

const filled = (layout: WallLayout) => layout.tiles.filter((id) => id !== null)

describe('a wall in the address', () => {
  it('comes back as it was written, whatever it is', () => {
    const random = seeded(4)
    for (let run = 0; run < 300; run += 1) {
      const size = pick(random, SIZES)
      const tiles = Array.from({ length: size }, (_, i) => (random() < 0.3 ? null : `cam ${i},&`.replace(',', '_')))
      const shown = Math.floor(random() * size)
      const layout: WallLayout = { size, tiles, large: random() < 0.5 && tiles[shown] !== null ? shown : null }
      const written = writeLayout(layout, new URLSearchParams('lang=ur'))
      expect(parseLayout(new URLSearchParams(written.toString()))).toEqual(layout)
      expect(written.get('lang')).toBe('ur')
    }
  })

  it('is mended where somebody wrote nonsense', () => {
    expect(parseLayout(new URLSearchParams(''))).toBeNull()
    expect(parseLayout(new URLSearchParams('n=5&c=a,b'))).toMatchObject({ size: 4, tiles: ['a', 'b', null, null], large: null })
    expect(parseLayout(new URLSearchParams('n=1&c=a,b&large=7'))).toMatchObject({ size: 1, tiles: ['a'], large: null })
  })
})

describe('orderForWall', () => {
  it('takes a gate and another site by turns, then the rest of the sites', () => {
    const cameras = [camera('a1', 'a'), camera('a2', 'a'), camera('b1', 'b'), camera('g1', 'g', 'gate1'), camera('g2', 'g', 'gate1'), camera('h1', 'h', 'gate2')]
    expect(orderForWall(cameras, [site('a'), site('b'), site('g'), site('h')])).toEqual(['g1', 'a1', 'h1', 'b1', 'a2', 'g2'])
  })
})

describe('changes of a wall', () => {
  it('never show a camera twice nor lose one by being placed', () => {
    const random = seeded(8)
    const order = Array.from({ length: 30 }, (_, i) => `c${i}`)
    let layout = fillFirst(order, 4)
    for (let step = 0; step < 2000; step += 1) {
      const tile = Math.floor(random() * layout.size)
      const kind = Math.floor(random() * 4)
      const before = layout
      if (kind === 0) layout = assign(layout, tile, pick(random, order))
      if (kind === 1) layout = assign(layout, tile, null)
      if (kind === 2) layout = swap(layout, tile, Math.floor(random() * layout.size))
      if (kind === 3) layout = resize(layout, nextSize(layout.size, random() < 0.5 ? 1 : -1), order)
      expect(layout.tiles).toHaveLength(layout.size)
      expect(new Set(filled(layout)).size).toBe(filled(layout).length)
      if (kind === 2) expect([...filled(layout)].sort()).toEqual([...filled(before)].sort())
    }
  })

  it('fills the tiles that are new and keeps the ones that were emptied', () => {
    const layout = assign(fillFirst(['a', 'b', 'c', 'd'], 4), 1, null)
    expect(resize(layout, 9, ['a', 'b', 'c', 'd', 'e']).tiles).toEqual(['a', null, 'c', 'd', 'b', 'e', null, null, null])
    expect(resize(layout, 1, ['a']).tiles).toEqual(['a'])
  })

  it('leads on to the next empty tile', () => {
    const layout = { ...fillFirst(['a', 'b'], 4) }
    expect(tileAfter(layout, 0)).toBe(2)
    expect(tileAfter(fillFirst(['a', 'b', 'c', 'd'], 4), 3)).toBe(0)
  })
})

describe('moveFocus', () => {
  it('stays on the wall, and mirrors in a right-to-left page', () => {
    const random = seeded(6)
    const mirror: Record<Arrow, Arrow> = { ArrowLeft: 'ArrowRight', ArrowRight: 'ArrowLeft', ArrowUp: 'ArrowUp', ArrowDown: 'ArrowDown' }
    for (let run = 0; run < 500; run += 1) {
      const size = pick(random, SIZES)
      const tile = Math.floor(random() * size)
      const arrow = pick<Arrow>(random, ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'])
      const columns = Math.sqrt(size)
      const next = moveFocus(tile, arrow, columns, size, 'ltr')
      expect(next).toBeGreaterThanOrEqual(0)
      expect(next).toBeLessThan(size)
      if (arrow === 'ArrowLeft' || arrow === 'ArrowRight') expect(Math.floor(next / columns)).toBe(Math.floor(tile / columns))
      expect(moveFocus(tile, mirror[arrow], columns, size, 'rtl')).toBe(next)
    }
    expect(moveFocus(0, 'ArrowRight', 2, 4, 'ltr')).toBe(1)
    expect(moveFocus(1, 'ArrowRight', 2, 4, 'ltr')).toBe(1)
  })
})

it('tiles are 16:9 and fit their place', () => {
  const random = seeded(12)
  for (let run = 0; run < 300; run += 1) {
    const box = { width: 200 + random() * 3800, height: 200 + random() * 2000 }
    const columns = Math.sqrt(pick(random, SIZES))
    const tile = tileBox(box, columns, columns, 4)
    expect(tile.width * columns + 4 * (columns - 1)).toBeLessThanOrEqual(box.width)
    expect(tile.height * columns + 4 * (columns - 1)).toBeLessThanOrEqual(box.height)
    expect(Math.abs(tile.height - (tile.width * 9) / 16)).toBeLessThan(1)
  }
})

it('finds cameras by camera, site or district, in both languages', () => {
  const entries = [{ camera: camera('x1', 'a'), site: site('Alpha') }, { camera: camera('y2', 'b'), site: { ...site('b'), district: 'Chiltan' } }]
  const found = (query: string) => searchCameras(entries, query).map((entry) => entry.camera.id)
  expect(found('')).toEqual(['x1', 'y2'])
  expect(found('CAMERA y')).toEqual(['y2'])
  expect(found('chilt')).toEqual(['y2'])
  expect(found('مقام Alpha')).toEqual(['x1'])
  expect(found('site camera x')).toEqual(['x1'])
  expect(found('nothing')).toEqual([])
})
