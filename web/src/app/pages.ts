import type { Role, Session } from '../api/wire'
import type { PageEntry } from '../ui/shell/page'

/** The rail, in the order of the number keys. */
export const pages: readonly PageEntry[] = [
  { path: '/queue', label: 'queue.title', icon: 'queue', letter: 'q', act: 'list_alerts' },
  { path: '/map', label: 'map.title', icon: 'map', letter: 'm', act: 'list_cameras' },
  { path: '/wall', label: 'video.wall', icon: 'wall', letter: 'w', act: 'view_live' },
  { path: '/incidents', label: 'incident.title', icon: 'incident', letter: 'i', act: 'list_incidents' },
  { path: '/playback', label: 'video.playback', icon: 'playback', letter: 'p', act: 'view_recordings' },
  { path: '/cases', label: 'case.title', icon: 'case', letter: 'c', act: 'list_cases' },
  { path: '/health', label: 'health.title', icon: 'health', letter: 'h', act: 'view_health' },
  { path: '/log', label: 'log.title', icon: 'log', letter: 'l', act: 'read_log' },
]

/** Where the work of a role begins. */
const HOMES: Record<Role, string> = {
  operator: '/queue',
  dispatcher: '/queue',
  supervisor: '/queue',
  investigator: '/cases',
  auditor: '/log',
  technician: '/health',
  administrator: '/health',
}

/** The role's own page, or the first that its acts open; undefined where they open none. */
export function homeOf({ role, acts }: Pick<Session, 'role' | 'acts'>): string | undefined {
  const open = pages.filter((page) => acts.includes(page.act))
  return (open.find((page) => page.path === HOMES[role]) ?? open[0])?.path
}
