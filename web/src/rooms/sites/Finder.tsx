import { useMemo, useRef } from 'react'
import { Select } from '@mantine/core'
import type { Camera, Site } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { Icon } from '../../ui/Icon'
import type { Chosen } from './chosen'

/** More would not be read. */
const SHOWN = 12

interface FinderProps {
  sites: readonly Site[]
  cameras: readonly Camera[]
  onChoose: (chosen: Chosen) => void
}

/** Sites and cameras by name or code; the way onto the map for the keyboard. */
export function Finder({ sites, cameras, onChoose }: FinderProps) {
  const { t, pick } = useI18n()
  const input = useRef<HTMLInputElement>(null)
  useKeys([{ chord: '/', label: t('map.find'), run: () => input.current?.focus() }])
  const data = useMemo(
    () => [
      ...sites.map((site) => ({ value: `site ${site.id}`, label: `${pick(site)}` })),
      ...cameras.map((camera) => ({ value: `camera ${camera.id}`, label: `${pick(camera)} \u2068${camera.code}\u2069` })),
    ],
    [sites, cameras, pick],
  )
  const go = (value: string | null) => {
    const [kind, id] = value?.split(' ') ?? []
    onChoose(id === undefined ? null : { kind: kind === 'camera' ? 'camera' : 'site', id })
    input.current?.blur()
  }
  return (
    <Select
      ref={input}
      searchable
      selectFirstOptionOnChange
      limit={SHOWN}
      data={data}
      value={null}
      onChange={go}
      aria-label={t('map.find')}
      placeholder={t('map.find')}
      nothingFoundMessage={t('map.find.none')}
      leftSection={<Icon name="search" size={16} />}
      rightSection={null}
    />
  )
}
