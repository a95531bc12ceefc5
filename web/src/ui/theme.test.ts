import { describe, expect, it } from 'vitest'
import { color, cssVariables } from './theme'

/** WCAG 2.2, relative luminance and contrast ratio. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

describe('colours', () => {
  const texts = ['text', 'textDim', 'accent', 'live', 'stalled', 'offline', 'unknown'] as const
  const grounds = ['ground', 'surface', 'raised', 'hover'] as const

  it.each(texts.flatMap((text) => grounds.map((ground) => [text, ground] as const)))('%s on %s has the contrast of AA text', (text, ground) => {
    expect(contrast(color[text], color[ground])).toBeGreaterThanOrEqual(4.5)
  })

  it('white on the filled accent has it too', () => {
    expect(contrast('#ffffff', color.accentStrong)).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['offline', 'stalled', 'text'] as const)('the digit of a priority, dark on its filled shape in %s, has it too', (name) => {
    expect(contrast(color.ground, color[name])).toBeGreaterThanOrEqual(4.5)
  })

  it('the two urgent priorities can be told apart by lightness alone', () => {
    expect(contrast(color.offline, color.stalled)).toBeGreaterThanOrEqual(1.3)
  })

  it.each(['recorded', 'missing'] as const)('%s stands out from the surface as a graphic', (name) => {
    expect(contrast(color[name], color.surface)).toBeGreaterThanOrEqual(3)
  })

  it('reach the style sheets under their names', () => {
    const { variables } = cssVariables({} as never)
    expect(variables['--sc-text-dim']).toBe(color.textDim)
    expect(Object.keys(variables)).toHaveLength(Object.keys(color).length)
  })
})
