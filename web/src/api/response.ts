/**
 * The queue, incidents and units: what is open comes from the live state, one thing with its history is fetched and
 * fetched again when a fact about it arrives (`LiveLink`). Nothing is shown as done before the server has said so.
 */
import { skipToken, useInfiniteQuery, useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { api, ApiError, bodyOf } from './client'
import { byQueue, newestIncidentFirst } from './order'
import { keys } from './queries'
import { responseKeys } from './touched'
import type {
  Alert, AlertDetail, AlertStep, AlertStepDone, AssignmentStep, CloseIncident, Incident, IncidentDetail, IncidentPage, NewIncident, Proposal,
  StateSnapshot, Unit,
} from './wire'

/** Positions move; a list of the nearest is asked for again this often while it is looked at. */
const PROPOSALS_EVERY_MS = 10_000
const PAGE = 50

/** A part of the live state; undefined before the first snapshot. `select` must be the same function each time. */
function useLive<T>(select: (state: StateSnapshot) => T): T | undefined {
  return useQuery<StateSnapshot, Error, T>({ queryKey: keys.state, queryFn: skipToken, staleTime: Infinity, select }).data
}

const queueOf = (state: StateSnapshot): Alert[] => Object.values(state.alerts).sort(byQueue)
const incidentsOf = (state: StateSnapshot): Incident[] => Object.values(state.incidents).sort(newestIncidentFirst)
const unitsOf = (state: StateSnapshot): Unit[] => Object.values(state.units).sort((a, b) => a.code.localeCompare(b.code, 'en', { numeric: true }))

/** Open alerts in the order of the queue; undefined before the live state is there. */
export function useOpenAlerts(): readonly Alert[] | undefined {
  return useLive(queueOf)
}

/** Open incidents, most urgent first, then newest. */
export function useOpenIncidents(): readonly Incident[] | undefined {
  return useLive(incidentsOf)
}

/** Every unit, by call sign. */
export function useUnits(): readonly Unit[] | undefined {
  return useLive(unitsOf)
}

export function useAlert(id: string | null) {
  return useQuery({
    queryKey: responseKeys.alert(id ?? ''),
    queryFn: id === null ? skipToken : ({ signal }) => bodyOf(api.GET('/api/alerts/{alert_id}', { params: { path: { alert_id: id } }, signal })) as Promise<AlertDetail>,
    staleTime: 30_000,
  })
}

/** A refusal because somebody was faster means that what is shown is old. */
export function refetchAfterConflict(client: QueryClient, error: Error, queryKey: readonly string[]): void {
  if (error instanceof ApiError && (error.status === 409 || error.status === 404)) void client.invalidateQueries({ queryKey })
}

export type AlertDeed = Pick<AlertStep, 'step' | 'version'> & { id: string; reason?: AlertStep['reason']; note?: string }

/** Acknowledge, release, escalate, confirm or close; the answer names the incident that a confirmation opened. */
export function useAlertStep() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, step, version, reason = null, note = '' }: AlertDeed) =>
      bodyOf(api.POST('/api/alerts/{alert_id}/steps', { params: { path: { alert_id: id } }, body: { step, version, reason, note } })) as Promise<AlertStepDone>,
    onSuccess: ({ alert }, { id }) => {
      client.setQueryData<AlertDetail>(responseKeys.alert(id), (known) => (known === undefined ? known : { ...known, alert }))
      void client.invalidateQueries({ queryKey: responseKeys.alert(id) })
    },
    onError: (error, { id }) => refetchAfterConflict(client, error, responseKeys.alert(id)),
  })
}

/** Closed incidents, newest first, page by page. */
export function useClosedIncidents(isAsked = true) {
  return useInfiniteQuery({
    queryKey: [...responseKeys.incidents, 'closed'],
    queryFn: ({ pageParam, signal }) =>
      bodyOf(api.GET('/api/incidents', { params: { query: { state: 'closed', limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) } }, signal })) as Promise<IncidentPage>,
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.before,
    enabled: isAsked,
  })
}

export function useIncident(id: string | null) {
  return useQuery({
    queryKey: responseKeys.incident(id ?? ''),
    queryFn: id === null ? skipToken : ({ signal }) => bodyOf(api.GET('/api/incidents/{incident_id}', { params: { path: { incident_id: id } }, signal })) as Promise<IncidentDetail>,
    staleTime: 30_000,
  })
}

/** Each of these answers with the whole incident, which takes the place of what was fetched. */
function useIncidentDeed<T>(id: string, send: (deed: T) => Promise<IncidentDetail>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: send,
    onSuccess: (detail) => client.setQueryData(responseKeys.incident(id), detail),
    onError: (error) => {
      refetchAfterConflict(client, error, responseKeys.incident(id))
      refetchAfterConflict(client, error, responseKeys.proposals(id))
    },
  })
}

export function useIncidentNote(id: string) {
  return useIncidentDeed(id, (text: string) =>
    bodyOf(api.POST('/api/incidents/{incident_id}/notes', { params: { path: { incident_id: id } }, body: { text } })) as Promise<IncidentDetail>)
}

export function useIncidentClose(id: string) {
  return useIncidentDeed(id, (body: Omit<CloseIncident, 'note'> & { note?: string }) =>
    bodyOf(api.POST('/api/incidents/{incident_id}/close', { params: { path: { incident_id: id } }, body: { note: '', ...body } })) as Promise<IncidentDetail>)
}

/** An incident that a person reports; the answer is the incident opened. */
export function useIncidentReport() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewIncident) => bodyOf(api.POST('/api/incidents', { body })) as Promise<IncidentDetail>,
    onSuccess: (detail) => client.setQueryData(responseKeys.incident(detail.incident.id), detail),
  })
}

/** The nearest free units, nearest first, by straight line. */
export function useProposals(incident: string, isAsked = true) {
  return useQuery({
    queryKey: responseKeys.proposals(incident),
    queryFn: ({ signal }) => bodyOf(api.GET('/api/incidents/{incident_id}/proposals', { params: { path: { incident_id: incident } }, signal })) as Promise<Proposal[]>,
    refetchInterval: PROPOSALS_EVERY_MS,
    enabled: isAsked,
  })
}

export function useSendUnit(incident: string) {
  return useIncidentDeed(incident, (unit: string) =>
    bodyOf(api.POST('/api/incidents/{incident_id}/assignments', { params: { path: { incident_id: incident } }, body: { unit } })) as Promise<IncidentDetail>)
}

export interface AssignmentDeed {
  assignment: string
  step: AssignmentStep['step']
  note?: string
}

/** En route, on scene, cleared or called back. */
export function useAssignmentStep(incident: string) {
  return useIncidentDeed(incident, ({ assignment, step, note = '' }: AssignmentDeed) =>
    bodyOf(api.POST('/api/assignments/{assignment_id}/steps', { params: { path: { assignment_id: assignment } }, body: { step, note } })) as Promise<IncidentDetail>)
}
