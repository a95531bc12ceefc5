/** A live player bound to a video element for as long as it is mounted; paused while nobody can see it. */
import { useEffect, useRef, useState, type RefObject } from 'react'
import { useConfig, useSession } from '../../api/queries'
import { liveAddress } from '../../lib/player/liveLink'
import type { Verdict } from '../../lib/player/liveModel'
import { LivePlayer } from '../../lib/player/livePlayer'

export type StreamName = 'sub' | 'main'

export interface Live {
  verdict: Verdict
  player: RefObject<LivePlayer | null>
}

const FIRST_VERDICT: Verdict = { state: 'connecting', cause: null, since: null, reason: null }
/** Scrolling past or a glance at another window does not hang up at once. */
const PAUSE_AFTER_MS = 2_000

function watchSight(element: Element, onChange: (isSeen: boolean) => void): () => void {
  let isOnScreen = true
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = () => {
    clearTimeout(timer)
    if (isOnScreen && !document.hidden) onChange(true)
    else timer = setTimeout(() => onChange(false), PAUSE_AFTER_MS)
  }
  const observer = new IntersectionObserver((entries) => {
    isOnScreen = entries.at(-1)?.isIntersecting ?? true
    tell()
  })
  observer.observe(element)
  document.addEventListener('visibilitychange', tell)
  return () => {
    clearTimeout(timer)
    observer.disconnect()
    document.removeEventListener('visibilitychange', tell)
  }
}

export function useLive(video: RefObject<HTMLVideoElement | null>, camera: string, stream: StreamName): Live {
  const gateway = useConfig().data?.gateway
  // A picture that was refused for want of a shift is asked for again when the shift starts.
  const shift = useSession().data?.shift?.purpose
  const player = useRef<LivePlayer | null>(null)
  const [verdict, setVerdict] = useState<Verdict>(FIRST_VERDICT)
  useEffect(() => {
    const element = video.current
    if (element === null || gateway === undefined) return undefined
    setVerdict(FIRST_VERDICT)
    const live = new LivePlayer(element, liveAddress(gateway, camera, stream), setVerdict)
    player.current = live
    let isPlaying = !document.hidden
    if (isPlaying) live.play()
    const stopWatching = watchSight(element, (isSeen) => {
      if (isSeen === isPlaying) return
      isPlaying = isSeen
      if (isSeen) live.play()
      else live.pause()
    })
    return () => {
      stopWatching()
      player.current = null
      live.destroy()
    }
  }, [video, gateway, camera, stream, shift])
  return { verdict, player }
}
