import type { CameraState } from '../api/wire'
import { color } from './theme'

/** The same four shapes everywhere, map included: live disc, stalled triangle, offline crossed square, unknown ring. */
export const shapes: Record<CameraState, { path: string; mark?: string; filled: boolean }> = {
  live: { path: 'M8 2.5a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11Z', filled: true },
  stalled: { path: 'M8 1.800 15 14H1L8 1.800Z', mark: 'M8 6v4m0 1.900v.1', filled: true },
  offline: { path: 'M2 2h12v12H2z', mark: 'm5 5 6 6m0-6-6 6', filled: true },
  unknown: { path: 'M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3Z', filled: false },
}

export function StateShape({ state, size = 14, title }: { state: CameraState; size?: number; title?: string | undefined }) {
  const { path, mark, filled } = shapes[state]
  const paint = color[state]
  return (
    <svg width={`${size / 16}rem`} height={`${size / 16}rem`} viewBox="0 0 16 16" className="sc-icon" role={title ? 'img' : undefined} aria-label={title} aria-hidden={title ? undefined : true}>
      {title ? <title>{title}</title> : null}
      <path d={path} fill={filled ? paint : 'none'} stroke={paint} strokeWidth={filled ? 0 : 2.2} strokeDasharray={filled ? undefined : '3 2.200'} strokeLinejoin="round" />
      {mark ? <path d={mark} stroke={color.ground} strokeWidth={1.9} strokeLinecap="round" fill="none" /> : null}
    </svg>
  )
}
