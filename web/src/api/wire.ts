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
export type RecorderHealth = Schemas['RecorderHealth']
export type HealthDetail = Omit<Schemas['HealthDetail'], 'cameras'> & { cameras: CameraHealth[] }

export type Leaf = Schemas['LeafView']
export type LogPage = Schemas['LogPage']
export type InclusionProof = Schemas['ProofView']
