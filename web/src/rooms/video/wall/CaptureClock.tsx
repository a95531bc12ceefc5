import { useEffect, useState, type RefObject } from 'react'
import type { LiveShow } from '../../../lib/player/livePicture'
import { useTime } from '../../../ui/useTime'

const EVERY_MS = 500

/** When the camera took the picture on the screen, in the city's time; nothing where that is not known. */
export function CaptureClock({ player }: { player: RefObject<LiveShow | null> }) {
  const time = useTime()
  const [at, setAt] = useState<number | null>(null)
  useEffect(() => {
    const read = () => setAt(player.current?.findCaptureTime() ?? null)
    read()
    const timer = setInterval(read, EVERY_MS)
    return () => clearInterval(timer)
  }, [player])
  return at === null ? null : <bdi>{time.seen(at)}</bdi>
}
