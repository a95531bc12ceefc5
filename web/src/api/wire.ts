/** What the server says, by name. The only file that knows where the types come from. */

export type CameraState = 'live' | 'stalled' | 'offline' | 'unknown'
/** Where to look; the server may add to these. */
export type CameraCause = 'camera' | 'link' | 'credentials' | 'recorder'
export type Role = 'operator' | 'dispatcher' | 'investigator' | 'supervisor' | 'auditor' | 'technician' | 'administrator'
export type Act =
  | 'view_live' | 'view_recordings' | 'export_clip' | 'list_cameras' | 'view_health'
  | 'read_log' | 'manage_users' | 'manage_sites' | 'start_shift'

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

export interface Health {
  status: 'ok' | 'degraded' | 'starting'
  cameras: { total: number; live: number }
  recorded_s: number
  segments: number
}

export interface Config {
  name: string
  name_ur: string
  gateway: string
  map: { center: [number, number]; zoom: number }
  demo: boolean
  version: string
  time_zone: string
}

export interface Shift { purpose: string; since: string; ends_at: string | null }

export interface Session {
  user: string
  display_name: string
  role: Role
  acts: Act[]
  shift: Shift | null
  expires_at: string
}

export interface Site {
  id: string
  name: string
  name_ur: string
  district: string | null
  lon: number
  lat: number
  cameras: string[]
}

export interface Camera {
  id: string
  code: string
  site: string
  name: string
  name_ur: string
  lon: number
  lat: number
  bearing_deg: number | null
  fov_deg: number | null
  range_m: number | null
  gate: string | null
  state: CameraState
  since: string | null
  cause: CameraCause | null
}

export interface Span { from: string; to: string }
export interface Gap extends Span { cause: CameraCause | null }
export interface Timeline { recorded: Span[]; missing: Gap[]; settled_until: string }

export interface StateEntry { state: CameraState; since: string | null; cause: CameraCause | null }
export interface StateSnapshot { cursor: number; cameras: Record<string, StateEntry> }

export interface CameraHealth extends StateEntry {
  id: string
  bitrate_bps: number | null
  fps: number | null
  last_frame_at: string | null
  recorded_today_s: number
  missing_today_s: number
}

export interface RecorderHealth {
  slot: string
  pid: number | null
  cameras: number
  since: string | null
  restarts: number
  dropped_packets: number
  mailbox_depth: number
  is_reporting: boolean
}

export interface HealthDetail {
  cameras: CameraHealth[]
  recorders: RecorderHealth[]
  disk: { used_bytes: number; budget_bytes: number; free_bytes: number; oldest: string | null }
  gateway: { viewers: number | null }
  database: { kind: string; ok: boolean }
}

export interface Leaf {
  index: number
  time: string
  type: string
  hash: string
  /** The bytes that are hashed, as text. */
  entry: string
  /** Absent where it has been erased by law. */
  body: Record<string, unknown> | null
  salt: string | null
}
export interface LogPage { size: number; root: string; leaves: Leaf[] }
export interface InclusionProof { index: number; size: number; root: string; leaf_hash: string; path: string[] }
