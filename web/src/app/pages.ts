import type { PageEntry } from '../ui/shell/page'

/** The rail, in the order of the number keys. Queue, Incident and Case will stand before Playback. */
export const pages: readonly PageEntry[] = [
  { path: '/map', label: 'map.title', icon: 'map', letter: 'm', act: 'list_cameras' },
  { path: '/wall', label: 'video.wall', icon: 'wall', letter: 'w', act: 'view_live' },
  { path: '/playback', label: 'video.playback', icon: 'playback', letter: 'p', act: 'view_recordings' },
  { path: '/health', label: 'health.title', icon: 'health', letter: 'h', act: 'view_health' },
  { path: '/log', label: 'log.title', icon: 'log', letter: 'l', act: 'read_log' },
]
