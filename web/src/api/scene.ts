/** What is watched on one camera's picture and what came of it: its lines and zones, its counts, its alerts. */
import { keepPreviousData, skipToken, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, bodyOf } from './client'
import { useMay } from './queries'
import { useOpenAlerts } from './response'
import { responseKeys } from './touched'
import type { Alert, AlertPage, CameraScene, CountsView } from './wire'

/** Rules are drawn rarely; analysers take them up within seconds, so the page need not be faster than a minute. */
const SCENE_STALE_MS = 60_000
const COUNTS_EVERY_MS = 30_000
/** As many as one page of the API holds. */
export const DECIDED_SHOWN = 200

export function useScene(camera: string | null) {
  return useQuery({
    queryKey: ['scene', camera],
    queryFn:
      camera === null
        ? skipToken
        : ({ signal }) => bodyOf(api.GET('/api/cameras/{camera_id}/scene', { params: { path: { camera_id: camera } }, signal })) as Promise<CameraScene>,
    staleTime: SCENE_STALE_MS,
    retry: false,
  })
}

/** What crossed the camera's lines since an instant, asked for again while it is looked at. */
export function useCounts(camera: string, fromMs: number) {
  return useQuery({
    queryKey: ['counts', camera, fromMs],
    queryFn: ({ signal }) => {
      const query = { from: new Date(fromMs).toISOString(), to: new Date().toISOString() }
      return bodyOf(api.GET('/api/cameras/{camera_id}/counts', { params: { path: { camera_id: camera }, query }, signal })) as Promise<CountsView>
    },
    refetchInterval: COUNTS_EVERY_MS,
    placeholderData: keepPreviousData,
  })
}

const NONE: readonly Alert[] = []

/** All alerts of a camera that are known, newest first: the open ones live, of the decided ones the latest page. */
export function useCameraAlerts(camera: string | null): readonly Alert[] {
  const mayList = useMay('list_alerts')
  const open = useOpenAlerts() ?? NONE
  const decided = useQuery({
    queryKey: [...responseKeys.alerts, 'decided', camera],
    queryFn:
      camera === null || !mayList
        ? skipToken
        : ({ signal }) => bodyOf(api.GET('/api/alerts', { params: { query: { state: 'decided', camera, limit: DECIDED_SHOWN } }, signal })) as Promise<AlertPage>,
    staleTime: 30_000,
  }).data?.alerts
  return useMemo(() => {
    const mine = open.filter((alert) => alert.camera === camera)
    const ids = new Set(mine.map((alert) => alert.id))
    return [...mine, ...(decided ?? []).filter((alert) => !ids.has(alert.id))].sort((one, other) => other.first_at.localeCompare(one.first_at))
  }, [open, decided, camera])
}
