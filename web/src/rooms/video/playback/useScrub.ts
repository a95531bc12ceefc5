/**
 * Small pictures of a recording while a hand is over the timeline: key frames, asked for under looks of six hours.
 * One picture is fetched at a time, and always the one that is wanted now; what the log refuses stays without pictures.
 */
import { useEffect, useRef, useState } from 'react'
import { useConfig } from '../../../api/queries'
import { playbackSource } from '../gateway'

const LOOK_MS = 6 * 3_600_000
/** A hand that only passes by opens no look. */
const REST_MS = 90
/** So many pictures across the view are told apart; neighbours share one, and the browser keeps it. */
const STEPS = 160
const WIDTH_PX = 240
const SETTLED_MS = 4_000

export interface ScrubPictureAt {
  readonly address: string
  readonly at: number
}

export function stepOf(at: number, spanMs: number): number {
  const step = Math.max(1000, spanMs / STEPS)
  return Math.floor(at / step) * step
}

export function useScrub(camera: string, at: number, spanMs: number): ScrubPictureAt | null {
  const gateway = useConfig().data?.gateway
  const looks = useRef(new Map<string, string | null>())
  const [shown, setShown] = useState<ScrubPictureAt | null>(null)
  const wanted = stepOf(Math.min(at, Date.now() - SETTLED_MS), spanMs)
  useEffect(() => {
    if (gateway === undefined) return undefined
    const given = new AbortController()
    const from = Math.floor(wanted / LOOK_MS) * LOOK_MS
    const key = `${camera} ${from}`
    const openLook = async (): Promise<string | null> => {
      const known = looks.current.get(key)
      if (known !== undefined) return known
      const answer = await playbackSource(gateway, camera).openLook({ from, to: Math.min(from + LOOK_MS, Date.now()) }, given.signal)
      const id = answer.kind === 'look' && wanted >= answer.look.from ? answer.look.id : null
      if (!given.signal.aborted) looks.current.set(key, id)
      return id
    }
    const show = async (): Promise<void> => {
      const look = await openLook()
      if (look === null || given.signal.aborted) return setShown(null)
      const address = `${gateway}/media/playback/${encodeURIComponent(look)}/still?at=${new Date(wanted).toISOString()}&width=${WIDTH_PX}`
      const answer = await fetch(address, { credentials: 'include', signal: given.signal })
      if (!answer.ok) {
        looks.current.delete(key) // a look that is over is opened anew by the next move of the hand
        return setShown(null)
      }
      const picture = URL.createObjectURL(await answer.blob())
      if (given.signal.aborted) return URL.revokeObjectURL(picture)
      setShown({ address: picture, at: wanted })
    }
    const timer = setTimeout(() => void show().catch(() => given.signal.aborted || setShown(null)), REST_MS)
    return () => {
      clearTimeout(timer)
      given.abort()
    }
  }, [gateway, camera, wanted])
  // A picture's bytes are let go of when the next one has taken its place.
  useEffect(() => () => void (shown !== null && URL.revokeObjectURL(shown.address)), [shown])
  return shown
}
