import { useDeferredValue, useId, useMemo, useRef, useState, type KeyboardEvent, type RefObject } from 'react'
import { TextInput } from '@mantine/core'
import { useCameraStates } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import { count } from '../../../lib/amounts'
import { Icon } from '../../../ui/Icon'
import { Ltr } from '../../../ui/Ltr'
import { StateShape } from '../../../ui/StateShape'
import { searchCameras, type CameraEntry } from './searchCameras'
import { CAMERA_TYPE } from './Tile'
import classes from './CameraList.module.css'

/** Drawn at once; a search narrows the rest faster than scrolling would find it. */
const MAX_ROWS = 250

interface RowProps {
  entry: CameraEntry
  id: string
  isActive: boolean
  isOnWall: boolean
  onPick: () => void
}

function Row({ entry: { camera, site }, id, isActive, isOnWall, onPick }: RowProps) {
  const { t, pick } = useI18n()
  const siteName = site === null ? '' : pick(site)
  const state = useCameraStates()[camera.id]?.state ?? camera.state
  return (
    <li
      id={id}
      role="option"
      aria-selected={isActive}
      className={classes['row']}
      data-active={isActive || undefined}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(CAMERA_TYPE, camera.id)
        event.dataTransfer.effectAllowed = 'copy'
      }}
      onClick={onPick}
    >
      <StateShape state={state} size={12} title={t(`state.${state}`)} />
      <span className={classes['name']}>
        {pick(camera)}
        {pick(camera).includes(siteName) ? null : <small>{siteName}</small>}
      </span>
      {isOnWall ? <Icon name="check" size={16} /> : null}
    </li>
  )
}

interface CameraListProps {
  entries: readonly CameraEntry[]
  onWall: readonly (string | null)[]
  /** The tile that a chosen camera goes to, counted from 1. */
  tileNumber: number
  onPick: (camera: string) => void
  onLeave: () => void
  search: RefObject<HTMLInputElement | null>
}

/** All cameras of the city by name and site: drag one onto a tile, or choose with the arrows and Enter. */
export function CameraList({ entries, onWall, tileNumber, onPick, onLeave, search }: CameraListProps) {
  const { t } = useI18n()
  const listId = useId()
  const [query, setQuery] = useState('')
  const [active, setActive] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const wanted = useDeferredValue(query)
  const found = useMemo(() => searchCameras(entries, wanted), [entries, wanted])
  const rows = found.slice(0, MAX_ROWS)
  const at = Math.min(active, rows.length - 1)

  const moveTo = (next: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, next))
    setActive(index)
    list.current?.children[index]?.scrollIntoView({ block: 'nearest' })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = rows[at]
    if (event.key === 'ArrowDown') moveTo(at + 1)
    else if (event.key === 'ArrowUp') moveTo(at - 1)
    else if (event.key === 'Enter' && chosen !== undefined) onPick(chosen.camera.id)
    else if (event.key === 'Escape') onLeave()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <aside className={classes['panel']} aria-label={t('video.list')}>
      <TextInput
        ref={search}
        size="sm"
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={rows[at] === undefined ? undefined : `${listId}-${at}`}
        aria-label={t('video.list.search')}
        placeholder={t('video.list.search')}
        leftSection={<Icon name="search" size={16} />}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value)
          setActive(0)
        }}
        onKeyDown={onKeyDown}
      />
      <p className={classes['hint']}>{t('video.list.target', { tile: tileNumber })}</p>
      <ul ref={list} id={listId} role="listbox" aria-label={t('video.list')} className={classes['list']}>
        {rows.map((entry, index) => (
          <Row key={entry.camera.id} entry={entry} id={`${listId}-${index}`} isActive={index === at} isOnWall={onWall.includes(entry.camera.id)} onPick={() => onPick(entry.camera.id)} />
        ))}
      </ul>
      <p className={classes['foot']}>
        {found.length === 0 ? t('video.list.none') : found.length > rows.length ? t('video.list.more', { shown: rows.length, all: count(found.length) }) : <Ltr>{count(found.length)}</Ltr>}
      </p>
    </aside>
  )
}
