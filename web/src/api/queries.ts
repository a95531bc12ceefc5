/** Server state by TanStack Query: one hook a thing. */
import { keepPreviousData, skipToken, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { FeatureCollection } from 'geojson'
import { api, ApiError, bodyOf } from './client'
import type {
  Act, CabinetCondition, Camera, Config, EdgeHealth, HealthDetail, InclusionProof, LedgerDay, LinkHealth, Session, StateEntry, StateSnapshot,
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
  healthEdges: ['health', 'edges'],
  log: ['log'],
} as const

const HEALTH_EVERY_MS = 10_000
const DETAIL_EVERY_MS = 5_000

export function useConfig() {
  return useQuery({ queryKey: keys.config, queryFn: ({ signal }) => bodyOf(api.GET('/api/config', { signal })) as Promise<Config>, staleTime: Infinity })
}

export function useHealth() {
  return useQuery({
    queryKey: keys.health,
    queryFn: ({ signal }) => bodyOf(api.GET('/api/health', { signal })),
    refetchInterval: HEALTH_EVERY_MS,
  })
}

/** `null` while nobody is signed in. */
export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: async ({ signal }): Promise<Session | null> => {
      try {
        return await bodyOf(api.GET('/api/session', { signal }))
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
    mutationFn: (who: { user: string; password: string }) => bodyOf(api.POST('/api/session', { body: who })),
    onSuccess: (session) => client.setQueryData(keys.session, session),
  })
}

export function useSignOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => bodyOf(api.DELETE('/api/session')),
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
    mutationFn: (on: boolean) => bodyOf(on ? api.POST('/api/shift') : api.DELETE('/api/shift')),
    onSuccess: (session) => client.setQueryData(keys.session, session),
  })
}

export function useSites() {
  return useQuery({ queryKey: keys.sites, queryFn: ({ signal }) => bodyOf(api.GET('/api/sites', { signal })), staleTime: 300_000 })
}

/** The registry; for the state of now read `useCameraStates`. */
export function useCameras() {
  return useQuery({ queryKey: keys.cameras, queryFn: ({ signal }) => bodyOf(api.GET('/api/cameras', { signal })) as Promise<Camera[]>, staleTime: 300_000 })
}

export function useMap() {
  return useQuery({
    queryKey: keys.map,
    queryFn: ({ signal }) => bodyOf(api.GET('/api/map', { signal })) as Promise<unknown> as Promise<FeatureCollection>,
    staleTime: Infinity,
  })
}

const NO_CAMERAS: Readonly<Record<string, StateEntry>> = {}

/** Live: fed by `LiveLink`, never fetched by the one who asks. */
export function useCameraStates(): Readonly<Record<string, StateEntry>> {
  return useQuery<StateSnapshot>({ queryKey: keys.state, queryFn: skipToken, staleTime: Infinity }).data?.cameras ?? NO_CAMERAS
}

export function useCameraState(camera: string): StateEntry | undefined {
  return useQuery<StateSnapshot, Error, StateEntry | undefined>({
    queryKey: keys.state,
    queryFn: skipToken,
    staleTime: Infinity,
    select: (snapshot) => snapshot.cameras[camera],
  }).data
}

export function useHealthDetail() {
  return useQuery({
    queryKey: keys.healthDetail,
    queryFn: ({ signal }) => bodyOf(api.GET('/api/health/detail', { signal })) as Promise<HealthDetail>,
    refetchInterval: DETAIL_EVERY_MS,
    placeholderData: keepPreviousData,
  })
}

const LINKS_EVERY_MS = 10_000

export function useLinkHealth() {
  return useQuery({
    queryKey: ['health', 'links'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/health/links', { signal })) as Promise<LinkHealth[]>,
    refetchInterval: LINKS_EVERY_MS,
    placeholderData: keepPreviousData,
  })
}

const LEDGER_EVERY_MS = 300_000

/** The closed days as they are published; nobody has to sign in for them. */
export function useLedger() {
  return useQuery({
    queryKey: ['public', 'ledger'],
    queryFn: async ({ signal }): Promise<LedgerDay[]> => (await bodyOf(api.GET('/api/public/ledger', { signal }))).days,
    refetchInterval: LEDGER_EVERY_MS,
    placeholderData: keepPreviousData,
  })
}

export function useCabinets() {
  return useQuery({
    queryKey: ['health', 'cabinets'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/health/cabinets', { signal })) as Promise<CabinetCondition[]>,
    refetchInterval: LINKS_EVERY_MS,
    placeholderData: keepPreviousData,
  })
}

/** The recorders at sites. */
export function useEdges() {
  return useQuery({
    queryKey: keys.healthEdges,
    queryFn: ({ signal }) => bodyOf(api.GET('/api/health/edges', { signal })) as Promise<EdgeHealth[]>,
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
  const query = { limit, ...(before === null ? {} : { before }), ...(type === null ? {} : { type }) }
  return useQuery({
    queryKey: [...keys.log, query],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/log', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  })
}

/** The kinds of entries that the log holds, to choose from. */
export function useLogTypes() {
  return useQuery({ queryKey: [...keys.log, 'types'], queryFn: ({ signal }) => bodyOf(api.GET('/api/log/types', { signal })), staleTime: 30_000 })
}

export function fetchProof(index: number, signal: AbortSignal): Promise<InclusionProof> {
  return bodyOf(api.GET('/api/log/{index}/proof', { params: { path: { index } }, signal }))
}
