/** Recorded pictures of one instant, from the gateway; a picture that is not durable yet is waited for. */
import { useEffect, useState } from 'react'
import { skipToken, useQuery } from '@tanstack/react-query'
import { ApiError, LinkError } from '../../api/client'
import { useConfig, useSession } from '../../api/queries'
import type { Problem } from '../../api/wire'

export interface StillAsk {
  camera: string
  /** The instant, as the server gave it. */
  at: string
  width: number
}

/** Not written to the disk yet; ask again after `waitMs`. */
class NotYet extends ApiError {
  constructor(
    problem: Problem,
    readonly waitMs: number,
  ) {
    super(404, problem)
  }
}

const MAX_BYTES = 4 * 1024 * 1024
/** A recorder that writes is never further behind than this. */
const NOT_YET_TRIES = 30
const LINK_TRIES = 4
/** Pictures nobody looks at are forgotten after this long. */
const KEPT_MS = 120_000

export function stillAddress(gateway: string, { camera, at, width }: StillAsk): string {
  return `${gateway}/media/stills/${encodeURIComponent(camera)}?${new URLSearchParams({ at, width: String(width) })}`
}

async function fetchStill(address: string, signal: AbortSignal): Promise<Blob> {
  let response: Response
  try {
    response = await fetch(address, { credentials: 'include', signal })
  } catch (error) {
    if (signal.aborted) throw error
    throw new LinkError(error)
  }
  if (response.ok) {
    const picture = await response.blob()
    if (picture.size > MAX_BYTES) throw new Error('The picture is too large')
    return picture
  }
  const problem = (await response.json().catch(() => ({ title: response.statusText }))) as Problem
  const waitS = Number(response.headers.get('retry-after'))
  if (response.status === 404 && waitS > 0) throw new NotYet(problem, Math.min(10, waitS) * 1000)
  throw new ApiError(response.status, problem)
}

function mayRetry(failures: number, error: Error): boolean {
  if (error instanceof NotYet) return failures < NOT_YET_TRIES
  if (error instanceof ApiError) return (error.status === 429 || error.status >= 500) && failures < LINK_TRIES
  return error instanceof LinkError && failures < LINK_TRIES
}

/** The picture as an address for an image; it is let go of when nobody shows it any more. */
export function useStill(ask: StillAsk | null) {
  const gateway = useConfig().data?.gateway
  // What was refused for want of a shift is asked for again when the shift starts.
  const shift = useSession().data?.shift?.purpose ?? null
  const address = ask === null || gateway === undefined ? null : stillAddress(gateway, ask)
  const query = useQuery({
    queryKey: ['still', address, shift],
    queryFn: address === null ? skipToken : ({ signal }) => fetchStill(address, signal),
    staleTime: Infinity,
    gcTime: KEPT_MS,
    retry: mayRetry,
    retryDelay: (failures, error) => (error instanceof NotYet ? error.waitMs : Math.min(8_000, 500 * 2 ** failures)),
    structuralSharing: false,
    placeholderData: (before, last) => (ask !== null && typeof last?.queryKey[1] === 'string' && last.queryKey[1].includes(`/stills/${encodeURIComponent(ask.camera)}?`) ? before : undefined),
  })
  const { data } = query
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (data === undefined) {
      setUrl(null)
      return undefined
    }
    const made = URL.createObjectURL(data)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [data])
  return { url, error: query.error, isPending: query.isPending, isOld: query.isPlaceholderData, retry: () => void query.refetch() }
}
