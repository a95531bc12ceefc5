/** Camera and instant of the playback page in its address, so that a colleague opens the same picture. */
import { useCallback, useEffect, useRef } from 'react'
import { useSearchParams } from 'react-router'

const START_BEFORE_NOW_MS = 60_000
const WRITE_AFTER_MS = 600

export function usePlaybackUrl() {
  const [params, setParams] = useSearchParams()
  const asked = Date.parse(params.get('at') ?? '')
  const start = useRef(Number.isNaN(asked) ? Date.now() - START_BEFORE_NOW_MS : Math.min(asked, Date.now()))
  const written = useRef(params.get('at'))

  const write = useCallback(
    (name: 'camera' | 'at', value: string) => {
      setParams(
        (now) => {
          const next = new URLSearchParams(now)
          next.set(name, value)
          return next
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return { camera: params.get('camera'), asked: params.get('at'), startAt: start.current, written, write }
}

/** Writes the instant once the playhead rests. */
export function useRestingAt(url: ReturnType<typeof usePlaybackUrl>, at: number, isResting: boolean): void {
  const { write, written } = url
  useEffect(() => {
    if (!isResting) return undefined
    const timer = setTimeout(() => {
      const text = new Date(at).toISOString()
      written.current = text
      write('at', text)
    }, WRITE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [at, isResting, write, written])
}
