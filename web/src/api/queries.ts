/** Server state by TanStack Query: one hook a thing. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { FeatureCollection } from 'geojson'
import { ApiError, call } from './client'
import type {
  Act, Camera, Config, Health, HealthDetail, InclusionProof, LogPage, Session, Site, StateEntry, StateSnapshot,
} from './wire'

export const keys = {
  config: ['config'],
  health: ['health'],
  session: ['session'],
  sites: ['sites'],
  cameras: ['cameras'],
  map: ['map'],
  state: ['state'],
  healthDetail: ['health', 'detail'],
  log: ['log'],
} as const

const HEALTH_EVERY_MS = 10_000
const DETAIL_EVERY_MS = 5_000

export function useConfig() {
  return useQuery({ queryKey: keys.config, queryFn: ({ signal }) => call<Config>('/api/config', { signal }), staleTime: Infinity })
}

export function useHealth() {
  return useQuery({
    queryKey: keys.health,
    queryFn: ({ signal }) => call<Health>('/api/health', { signal }),
    refetchInterval: HEALTH_EVERY_MS,
  })
}

/** `null` while nobody is signed in. */
export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: async ({ signal }): Promise<Session | null> => {
      try {
        return await call<Session>('/api/session', { signal })
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null
        throw error
      }
    },
    staleTime: 60_000,
  })
}

/** Whether the person's role allows this act; the server decides anew at each call. */
export function useMay(act: Act): boolean {
  return useSession().data?.acts.includes(act) ?? false
}

export function useSignIn() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (who: { user: string; password: string }) => call<Session>('/api/session', { method: 'POST', body: who }),
    onSuccess: (session) => client.setQueryData(keys.session, session),
  })
}

export function useSignOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => call<void>('/api/session', { method: 'DELETE' }),
    onSuccess: () => {
      client.setQueryData(keys.session, null)
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' && query.queryKey[0] !== 'config' })
    },
  })
}

/** Starts (true) or ends (false) the shift of the person signed in. */
export function useShift() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (on: boolean) => call<Session>('/api/shift', { method: on ? 'POST' : 'DELETE' }),
    onSuccess: (session) => client.setQueryData(keys.session, session),
  })
}

export function useSites() {
  return useQuery({ queryKey: keys.sites, queryFn: ({ signal }) => call<Site[]>('/api/sites', { signal }), staleTime: 300_000 })
}

/** The registry; for the state of now read `useCameraStates`. */
export function useCameras() {
  return useQuery({ queryKey: keys.cameras, queryFn: ({ signal }) => call<Camera[]>('/api/cameras', { signal }), staleTime: 300_000 })
}

export function useMap() {
  return useQuery({
    queryKey: keys.map,
    queryFn: ({ signal }) => call<FeatureCollection & { note?: string }>('/api/map', { signal }),
    staleTime: Infinity,
  })
}

const NO_CAMERAS: Readonly<Record<string, StateEntry>> = {}

/** Live: fed by `LiveLink`, never fetched by the one who asks. */
export function useCameraStates(): Readonly<Record<string, StateEntry>> {
  return useQuery<StateSnapshot>({ queryKey: keys.state, enabled: false, staleTime: Infinity }).data?.cameras ?? NO_CAMERAS
}

export function useCameraState(camera: string): StateEntry | undefined {
  return useQuery<StateSnapshot, Error, StateEntry | undefined>({
    queryKey: keys.state,
    enabled: false,
    staleTime: Infinity,
    select: (snapshot) => snapshot.cameras[camera],
  }).data
}

export function useHealthDetail() {
  return useQuery({
    queryKey: keys.healthDetail,
    queryFn: ({ signal }) => call<HealthDetail>('/api/health/detail', { signal }),
    refetchInterval: DETAIL_EVERY_MS,
    placeholderData: keepPreviousData,
  })
}

export interface LogAsk {
  before: number | null
  limit: number
  type: string | null
}

export function useLogPage({ before, limit, type }: LogAsk) {
  const ask = new URLSearchParams({ limit: String(limit) })
  if (before !== null) ask.set('before', String(before))
  if (type !== null) ask.set('type', type)
  return useQuery({
    queryKey: [...keys.log, ask.toString()],
    queryFn: ({ signal }) => call<LogPage>(`/api/log?${ask}`, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  })
}

/** The proof against the log as it was at `size`; a server that does not know sizes answers for the log of now. */
export function fetchProof(index: number, size: number, signal: AbortSignal): Promise<InclusionProof> {
  return call<InclusionProof>(`/api/log/${index}/proof?size=${size}`, { signal })
}
