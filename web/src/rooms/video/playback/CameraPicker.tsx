import { Select } from '@mantine/core'
import { useI18n } from '../../../i18n/i18n'
import { searchCameras, type CameraEntry } from '../wall/searchCameras'

const MAX_SHOWN = 60

interface CameraPickerProps {
  entries: readonly CameraEntry[]
  camera: string | null
  onPick: (camera: string) => void
}

/** One camera by name or site; a part of either finds it. */
export function CameraPicker({ entries, camera, onPick }: CameraPickerProps) {
  const { t, pick } = useI18n()
  const byId = new Map(entries.map((entry) => [entry.camera.id, entry]))
  return (
    <Select
      size="sm"
      searchable
      limit={MAX_SHOWN}
      aria-label={t('video.picker')}
      placeholder={t('video.list.search')}
      nothingFoundMessage={t('video.list.none')}
      data={entries.map((entry) => ({ value: entry.camera.id, label: pick(entry.camera) }))}
      value={camera}
      onChange={(id) => id !== null && onPick(id)}
      filter={({ options, search, limit }) => {
        const known = options.flatMap((option) => ('value' in option ? (byId.get(String(option.value)) ?? []) : []))
        const found = new Set(searchCameras(known, search === pick(byId.get(camera ?? '')?.camera ?? { name: '' }) ? '' : search).map((entry) => entry.camera.id))
        return options.filter((option) => 'value' in option && found.has(String(option.value))).slice(0, limit)
      }}
    />
  )
}
