/** The few icons that only the video pages need; same 24x24 line drawing as ui/Icon. */
const paths = {
  full: 'M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5',
  back: 'M15 5 7 12l8 7V5ZM5 5v14',
  ahead: 'M9 5l8 7-8 7V5ZM19 5v14',
  skip: 'M5 6l6 6-6 6m7-12 6 6-6 6',
  in: 'M9 5H5v14h4M5 12h14m-3.500-3.500L19 12l-3.500 3.500',
  stalled: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.500 8.500v7m5-7v7',
  offline: 'M4 4l16 16M6.500 8H4v9h10m3-1V8H9.500M15 11l6-3v8l-2.500-1.200',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  wait: 'M12 3.500a8.500 8.500 0 1 0 8.500 8.500',
  scene: 'M4 18 20 9M4 5h6v6H4zM14 14l2.500 4.500',
  head: 'M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  left: 'M15 6l-6 6 6 6',
  right: 'M9 6l6 6-6 6',
  now: 'M12 4.500v7.500l5 3M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
} as const

export type GlyphName = keyof typeof paths

export function Glyph({ name, size = 20 }: { name: GlyphName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={1.7} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" className="sc-icon">
      <path d={paths[name]} />
    </svg>
  )
}
