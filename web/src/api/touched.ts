/** Which fetched details and pages a batch of facts makes old; pure. */
import { readAlert, readCaseId, readIncident, readUnit, type LiveEvent } from './facts'
import type { StateSnapshot } from './wire'

export const responseKeys = {
  alert: (id: string) => ['alert', id] as const,
  /** Pages of decided alerts. */
  alerts: ['alerts'] as const,
  incident: (id: string) => ['incident', id] as const,
  /** Pages of closed incidents. */
  incidents: ['incidents'] as const,
  proposals: (incident: string) => ['proposals', incident] as const,
  case: (id: string) => ['case', id] as const,
  /** Pages of cases. */
  cases: ['cases'] as const,
}

type Key = readonly string[]

function touchedBy({ type, event }: LiveEvent, before: StateSnapshot | undefined): Key[] {
  switch (type) {
    case 'incidents.alert_changed': {
      const alert = readAlert(event)
      if (alert === null) return []
      const isDecided = alert.state === 'confirmed' || alert.state === 'closed'
      return [
        responseKeys.alert(alert.id),
        ...(isDecided ? [responseKeys.alerts] : []),
        ...(alert.incident === null ? [] : [responseKeys.incident(alert.incident)]),
      ]
    }
    case 'incidents.incident_changed': {
      const incident = readIncident(event)
      if (incident === null) return []
      return [responseKeys.incident(incident.id), ...(incident.closed_at === null ? [] : [responseKeys.incidents])]
    }
    case 'dispatch.unit_changed': {
      const unit = readUnit(event)
      const known = unit === null ? undefined : before?.units[unit.id]
      // A unit that only moved changes no proposal worth asking for again: those are renewed by time.
      if (unit === null || known?.status === unit.status) return []
      const incidents = [unit.incident, known?.incident ?? null].filter((id) => id !== null)
      return [['proposals'], ...incidents.map(responseKeys.incident)]
    }
    case 'cases.case_changed': {
      const id = readCaseId(event)
      return id === null ? [] : [responseKeys.case(id), responseKeys.cases]
    }
    default:
      return []
  }
}

/** Query keys (prefixes) to fetch again, each once; `before` is the state that the events were applied to. */
export function touchedKeys(events: readonly LiveEvent[], before: StateSnapshot | undefined): Key[] {
  const found = new Map<string, Key>()
  for (const event of events) for (const key of touchedBy(event, before)) found.set(key.join('\n'), key)
  return [...found.values()]
}

/** Everything that facts keep current, for after a time in which facts were missed. */
export const ALL_TOUCHABLE: readonly Key[] = ['alert', 'alerts', 'incident', 'incidents', 'proposals', 'case', 'cases'].map((name) => [name])
