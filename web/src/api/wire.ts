/** What the server says, by the names the page uses; the types are generated from its OpenAPI (`npm run types`). */
import type { components } from './schema'

type Schemas = components['schemas']

export type Act = Schemas['Act']
export type Role = Schemas['Role']
export type CameraState = Schemas['CameraView']['state']
/** Where to look. The server may come to know more; phrases for those are found by ui/cause.ts. */
export type CameraCause = 'camera' | 'link' | 'credentials' | 'recorder'
type WithCause<T> = Omit<T, 'cause'> & { cause: CameraCause | null }

/** RFC 9457. */
export interface Problem {
  type?: string
  title?: string
  status?: number
  kind?: string
  code?: string
  detail?: string
  /** Extension members (RFC 9457, 3.2), each kind of problem its own. */
  [member: string]: unknown
}

export type Health = Schemas['HealthView']
export type Config = Schemas['ConfigView']
export type Session = Schemas['SessionView']
export type Site = Schemas['SiteView']
export type Camera = WithCause<Schemas['CameraView']>

export type Span = Schemas['SpanView']
export type Gap = WithCause<Schemas['MissingView']>
export type Timeline = Omit<Schemas['TimelineView'], 'missing'> & { missing: Gap[] }

export type StateEntry = WithCause<Schemas['StateView']>
export type StateSnapshot = Omit<Schemas['CityState'], 'cameras'> & { cameras: Record<string, StateEntry> }

export type CameraHealth = WithCause<Schemas['CameraHealth']>
export type EdgeHealth = Schemas['EdgeHealth']
export type RecorderHealth = Schemas['RecorderHealth']
export type CopyTargetHealth = Schemas['CopyTargetHealth']
export type AnalyserHealth = Schemas['AnalyserHealth']
export type LinkHealth = Schemas['LinkHealth']
export type CabinetCondition = Schemas['CabinetCondition']
export type VolumeHealth = Schemas['VolumeHealth']
export type LedgerDay = Schemas['LedgerDayView']
export type HealthDetail = Omit<Schemas['HealthDetail'], 'cameras'> & { cameras: CameraHealth[] }

export type Leaf = Schemas['LeafView']
export type LogPage = Schemas['LogPage']
export type InclusionProof = Schemas['ProofView']

/** A thing of the queue, of dispatch or of cases goes over the wire as the fact that states it. */
export type Person = Schemas['Person']
export type Alert = Schemas['AlertChanged']
export type CloseReason = NonNullable<Alert['close_reason']>
export type AlertPage = Schemas['AlertPage']
export type AlertDetail = Schemas['AlertDetail']
export type AlertStep = Schemas['AlertStep']
export type AlertStepDone = Schemas['AlertStepDone']
export type Step = Schemas['StepView']
export type Incident = Schemas['IncidentChanged']
export type IncidentStage = Incident['stage']
export type IncidentDetail = Schemas['IncidentDetail']
export type IncidentPage = Schemas['IncidentPage']
export type NewIncident = Schemas['NewIncident']
export type CloseIncident = Schemas['CloseIncident']
export type NearCamera = Schemas['NearCamera']
export type Unit = Schemas['UnitChanged']
export type Proposal = Schemas['Proposal']
export type Assignment = Schemas['AssignmentView']
export type AssignmentStep = Schemas['AssignmentStep']
export type Case = Schemas['CaseView']
export type CaseDetail = Schemas['CaseDetail']
export type CaseClip = Schemas['CaseClip']
export type CasePage = Schemas['CasePage']
export type NewCase = Schemas['NewCase']
export type CaseReferences = Schemas['CaseReferences']
export type CloseCase = Schemas['CloseCase']

export type CameraScene = Schemas['CameraScene']
export type CountsView = Schemas['CountsView']
export type LineCount = Schemas['LineCount']
export type CityPlan = Schemas['PlanView']
export type PlanLine = Schemas['PlanLine']

export type DemoCard = Schemas['DemoCard']
export type DemoRole = Schemas['DemoEnter']['role']
export type DemoFault = Schemas['DemoFault']
export type DemoFaultDone = Schemas['DemoFaultDone']
