/** A playback player bound to a video element, and the seeking that a hand on the timeline needs. */
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react'
import { useSession } from '../../../api/queries'
import type { StreamName } from '../../../lib/player/liveModel'
import { PlaybackPlayer, type PlaybackView } from '../../../lib/player/playbackPlayer'
import { UnplayableCodec } from '../../../lib/player/playbackScreen'
import { playbackSource } from '../gateway'

/** While scrubbing, the picture is asked for this often; the playhead itself follows the hand at once. */
const SCRUB_EVERY_MS = 140

export interface Playback {
  view: PlaybackView
  player: RefObject<PlaybackPlayer | null>
  /** The sub stream where this browser can't play the main one. */
  stream: StreamName
  /** `isScrubbing`: the hand is still moving. */
  seek: (at: number, isScrubbing?: boolean) => void
}

export interface PlaybackAsk {
  gateway: string | undefined
  camera: string | null
  /** Where to begin; a new camera begins where the last one stood. */
  startAt: number
}

function firstView(at: number): PlaybackView {
  return { status: 'loading', error: null, isPlaying: true, rate: 1, at, pictureAt: null, jumped: null, gap: null }
}

export function usePlayback(video: RefObject<HTMLVideoElement | null>, { gateway, camera, startAt }: PlaybackAsk): Playback {
  // What was refused for want of a shift is asked for again when the shift starts.
  const shift = useSession().data?.shift?.purpose
  const player = useRef<PlaybackPlayer | null>(null)
  const [view, setView] = useState<PlaybackView>(() => firstView(startAt))
  const [handAt, setHandAt] = useState<number | null>(null)
  const pending = useRef<{ timer: ReturnType<typeof setTimeout>; at: number } | null>(null)
  const begin = useRef(startAt)
  const [stream, setStream] = useState<StreamName>('main')
  useEffect(() => setStream('main'), [camera])
  // Many browsers have no H.265; the sub stream that is recorded beside it is H.264.
  const isCodecRefused = view.error instanceof UnplayableCodec
  useEffect(() => {
    if (isCodecRefused) setStream('sub')
  }, [isCodecRefused])

  useEffect(() => {
    const element = video.current
    if (element === null || gateway === undefined || camera === null) return undefined
    const made = new PlaybackPlayer(element, playbackSource(gateway, camera, stream), begin.current, (next) => {
      begin.current = next.at
      setView(next)
    })
    player.current = made
    made.play()
    return () => {
      player.current = null
      made.destroy()
    }
  }, [video, gateway, camera, stream, shift])

  const seek = useCallback((at: number, isScrubbing = false) => {
    begin.current = at
    if (!isScrubbing) {
      clearTimeout(pending.current?.timer)
      pending.current = null
      setHandAt(null)
      player.current?.seek(at)
      return
    }
    setHandAt(at)
    if (pending.current !== null) {
      pending.current.at = at
      return
    }
    player.current?.seek(at, true)
    const timer = setTimeout(() => {
      const last = pending.current
      pending.current = null
      if (last !== null && last.at !== at) player.current?.seek(last.at, true)
    }, SCRUB_EVERY_MS)
    pending.current = { timer, at }
  }, [])

  return { view: handAt === null ? view : { ...view, at: handAt }, player, stream, seek }
}
