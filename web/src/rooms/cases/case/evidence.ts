/** What the page knows of a clip from the case around it; pure. */
import type { Case, CaseClip, Incident, Step } from '../../../api/wire'

/** The clip's newest export with its hash, which the history holds. */
export function lastExport(clip: Pick<CaseClip, 'export'>, steps: readonly Step[]): { export: string; sha256: string | null } | null {
  if (clip.export === null) return null
  const line = steps.findLast(({ step, detail }) => step === 'exported' && detail['export'] === clip.export)
  const sha256 = line?.detail['sha256']
  return { export: clip.export, sha256: typeof sha256 === 'string' ? sha256 : null }
}

/** Why the clip is needed, as the log will have it. */
export function reasonOf({ number, fir_number, police_station }: Pick<Case, 'number' | 'fir_number' | 'police_station'>): string {
  return `Case ${number}, FIR ${fir_number}, ${police_station}`
}

/** The alert's own picture where this clip holds it, else the clip's first. */
export function stillOf(clip: Pick<CaseClip, 'camera' | 'from' | 'to'>, incident: Pick<Incident, 'camera' | 'picture_at'>): number {
  const at = Date.parse(incident.picture_at)
  const isInside = clip.camera === incident.camera && at >= Date.parse(clip.from) && at <= Date.parse(clip.to)
  return isInside ? at : Date.parse(clip.from)
}

/** The clip of the alert's own camera first, then by camera and time. */
export function inOrder(clips: readonly CaseClip[], incident: Pick<Incident, 'camera'>): CaseClip[] {
  return [...clips].sort((one, other) =>
    Number(other.camera === incident.camera) - Number(one.camera === incident.camera) || one.camera.localeCompare(other.camera) || Date.parse(one.from) - Date.parse(other.from))
}
