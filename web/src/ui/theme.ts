/**
 * The design tokens, in one place: Mantine's theme and the CSS variables that all rooms style with.
 *
 * Colour is kept for the state of a thing and for the one accent; surfaces are blue-black so that pictures come
 * first. Each text colour has at least 4.5:1 on `surface` and on `raised` (theme.test.ts measures it).
 */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

export const color = {
  ground: '#0b1017',
  surface: '#111822',
  raised: '#182230',
  hover: '#1f2b3b',
  line: '#273446',
  lineStrong: '#3b4c63',
  text: '#e8eef6',
  textDim: '#a6b4c5',
  accent: '#7aa2ff',
  accentStrong: '#3f6fe0',
  live: '#4cc38a',
  stalled: '#f0b43c',
  offline: '#ff7a73',
  unknown: '#97a6b8',
  recorded: '#4f86c6',
  missing: '#ff7a73',
} as const

export type ColorName = keyof typeof color

const lapis: MantineColorsTuple = [
  '#eaf0ff', '#d3dfff', '#a9c0ff', '#7aa2ff', '#5c8bf7', '#4a7cf0', '#3f6fe0', '#3159b8', '#274893', '#1c3670',
]

const night: MantineColorsTuple = [
  color.text, '#c9d3df', color.textDim, '#8595a8', color.lineStrong, color.line, color.hover, color.raised, color.surface, color.ground,
]

/** Latin first; the Urdu face follows for the letters that the first does not have. */
const faces = "'Inter Variable', 'Noto Naskh Arabic Variable', system-ui, sans-serif"

export const theme = createTheme({
  primaryColor: 'lapis',
  primaryShade: { light: 6, dark: 6 },
  colors: { lapis, dark: night },
  fontFamily: faces,
  headings: { fontFamily: faces, fontWeight: '600' },
  defaultRadius: 'sm',
  focusRing: 'auto',
  cursorType: 'pointer',
  respectReducedMotion: true,
})

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Each colour as `--sc-ground`, `--sc-text-dim`, ...; `styles.css` holds the lengths. */
export const cssVariables: CSSVariablesResolver = () => {
  const variables = Object.fromEntries(Object.entries(color).map(([name, value]) => [`--sc-${kebab(name)}`, value]))
  return {
    variables,
    dark: {
      '--mantine-color-body': color.ground,
      '--mantine-color-text': color.text,
      '--mantine-color-dimmed': color.textDim,
      '--mantine-color-default-border': color.lineStrong,
      '--mantine-color-placeholder': '#8595a8',
    },
    light: {},
  }
}
