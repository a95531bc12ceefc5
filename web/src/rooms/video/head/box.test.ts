import { describe, expect, it } from 'vitest'
import { boxOf, pictureIn } from './box'

describe('boxes on a picture', () => {
  it('finds the picture between its black bars', () => {
    expect(pictureIn({ width: 960, height: 960 }, { width: 1920, height: 1080 })).toEqual({ x: 0, y: 210, width: 960, height: 540 })
    expect(pictureIn({ width: 800, height: 100 }, { width: 200, height: 100 })).toEqual({ x: 300, y: 0, width: 200, height: 100 })
    expect(pictureIn({ width: 8, height: 6 }, { width: 0, height: 0 })).toEqual({ x: 0, y: 0, width: 8, height: 6 })
  })

  it('takes shares of the picture, whatever corner was first', () => {
    const picture = { x: 100, y: 0, width: 200, height: 100 }
    expect(boxOf({ x: 200, y: 75 }, { x: 150, y: 25 }, picture)).toEqual({ x: 0.25, y: 0.25, width: 0.25, height: 0.5 })
  })

  it('ends at the edge of the picture', () => {
    const picture = { x: 100, y: 0, width: 200, height: 100 }
    expect(boxOf({ x: 0, y: -5 }, { x: 400, y: 500 }, picture)).toEqual({ x: 0, y: 0, width: 1, height: 1 })
  })
})
