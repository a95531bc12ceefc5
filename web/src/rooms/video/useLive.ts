/** A live player bound to a video or canvas element for as long as it is mounted; paused while nobody can see it. */
import { useEffect, useRef, useState, type RefObject } from 'react'
import { useConfig, useSession } from '../../api/queries'
import { CanvasScreen } from '../../lib/player/canvasScreen'
import type { StreamName, Verdict } from '../../lib/player/liveModel'
import { HlsPlayer } from '../../lib/player/hlsPlayer'
import type { LivePicture, LiveShow, LiveWay, ScreenHooks } from '../../lib/player/livePicture'
import { LivePlayer, type LiveSource } from '../../lib/player/livePlayer'
import { LiveScreen } from '../../lib/player/liveScreen'

export interface Live {
  verdict: Verdict
  player: RefObject<LiveShow | null>
}

const FIRST_VERDICT: Verdict = { state: 'connecting', cause: null, since: null, reason: null }
/** Scrolling past or a glance at another window does not hang up at once. */
const PAUSE_AFTER_MS = 2_000

/** Whether any of it stands in the window now. */
function isInWindow(element: Element): boolean {
  const box = element.getBoundingClientRect()
  return box.bottom >= 0 && box.right >= 0 && box.top <= window.innerHeight && box.left <= window.innerWidth
}

/** Tells once whether it is seen, then each change. */
function watchSight(element: Element, onChange: (isSeen: boolean) => void): () => void {
  let isOnScreen = isInWindow(element)
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

export type LiveSurface = HTMLVideoElement | HTMLCanvasElement

function screenOn(element: LiveSurface, hooks: ScreenHooks): LivePicture {
  return element instanceof HTMLCanvasElement ? new CanvasScreen(element, hooks) : new LiveScreen(element, hooks)
}

function playOn(element: LiveSurface, way: LiveWay, source: LiveSource, onVerdict: (verdict: Verdict) => void): LiveShow {
  if (way === 'hls' && element instanceof HTMLVideoElement) return new HlsPlayer(element, source, onVerdict)
  return new LivePlayer((hooks) => screenOn(element, hooks), source, onVerdict)
}

/** `way` is that of the element in `surface`: a change of it binds anew. */
export function useLive(surface: RefObject<LiveSurface | null>, { camera, stream, way }: { camera: string; stream: StreamName; way: LiveWay }): Live {
  const gateway = useConfig().data?.gateway
  // A picture that was refused for want of a shift is asked for again when the shift starts.
  const shift = useSession().data?.shift?.purpose
  const player = useRef<LiveShow | null>(null)
  const [verdict, setVerdict] = useState<Verdict>(FIRST_VERDICT)
  useEffect(() => {
    const element = surface.current
    if (element === null || gateway === undefined) return undefined
    setVerdict(FIRST_VERDICT)
    const live = playOn(element, way, { gateway, camera, stream }, setVerdict)
    player.current = live
    let isPlaying = !document.hidden && isInWindow(element)
    if (isPlaying) live.play()
    else live.pause()
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
  }, [surface, gateway, camera, stream, way, shift])
  return { verdict, player }
}
