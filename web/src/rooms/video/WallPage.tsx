import { useMemo, useRef, useState, type ReactNode } from 'react'
import { Loader } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useNavigate } from 'react-router'
import { useOpenAlerts } from '../../api/response'
import type { Alert } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys, type KeyCommand } from '../../lib/keys'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { SceneOverlay } from './scene/SceneOverlay'
import { useSceneShown } from './scene/useSceneShown'
import { callsOf, jump } from './wall/calls'
import { CameraList } from './wall/CameraList'
import { moveFocus, nextSize, type Arrow } from './wall/layout'
import { TileAlert } from './wall/TileAlert'
import { useRegistry, useWall, type Wall } from './wall/useWall'
import { WallBar } from './wall/WallBar'
import { WallGrid } from './wall/WallGrid'
import classes from './wall/Wall.module.css'

const ARROWS: readonly Arrow[] = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']

interface KeyDeeds {
  choose: () => void
  toggleFull: () => void
  focusTile: () => void
  openPlayback: () => void
  jumpToAlert: () => void
}

function useWallKeys(wall: Wall, isPhone: boolean, { choose, toggleFull, focusTile, openPlayback, jumpToAlert }: KeyDeeds): void {
  const { t, dir } = useI18n()
  const { layout, selected } = wall
  const columns = isPhone ? 1 : Math.sqrt(layout.size)
  const camera = layout.tiles[selected] ?? null
  const move = (arrow: Arrow) => {
    if (layout.large !== null) return
    wall.select(moveFocus(selected, arrow, columns, layout.size, dir))
    focusTile()
  }
  const commands: KeyCommand[] = [
    ...ARROWS.map((arrow) => ({ chord: arrow, label: t('video.keys.move'), run: () => move(arrow) })),
    { chord: 'Enter', label: t('video.keys.open'), run: () => (camera === null ? choose() : wall.open(selected)) },
    { chord: 'Escape', label: t('video.keys.back'), run: () => layout.large !== null && wall.back() },
    { chord: '/', label: t('video.keys.choose'), run: choose },
    { chord: 'Delete', label: t('video.tile.clear'), run: () => wall.assign(selected, null) },
    { chord: '[', label: t('video.keys.fewer'), run: () => wall.resize(nextSize(layout.size, -1)) },
    { chord: ']', label: t('video.keys.more'), run: () => wall.resize(nextSize(layout.size, 1)) },
    { chord: 'p', label: t('video.tile.playback'), run: openPlayback },
    { chord: 'a', label: t('video.keys.alert'), run: jumpToAlert },
    { chord: 'f', label: t('video.full'), run: toggleFull },
  ]
  useKeys(commands)
}

const NO_ALERTS: readonly Alert[] = []

/** What lies over the pictures of this wall: what is watched there, and what calls; and the key from a call to its alert. */
function useWallOver(wall: Wall, focusTile: () => void) {
  const navigate = useNavigate()
  const alerts = useOpenAlerts() ?? NO_ALERTS
  const calls = useMemo(() => callsOf(alerts), [alerts])
  const scene = useSceneShown()
  const over = (camera: string, isSelected: boolean) => {
    const call = calls.get(camera)
    return (
      <>
        {scene.isShown ? <SceneOverlay camera={camera} /> : null}
        {call === undefined ? null : <TileAlert call={call} isSelected={isSelected} />}
      </>
    )
  }
  const jumpToAlert = () => {
    const to = jump(wall.layout.tiles, wall.layout.large ?? wall.selected, alerts)
    if (to === null) return
    if ('alert' in to) return void navigate(`/queue?alert=${encodeURIComponent(to.alert)}`)
    if (wall.layout.large !== null) wall.back()
    wall.select(to.tile)
    focusTile()
  }
  return { over, scene, jumpToAlert }
}

/** `tools`: more buttons on the tile of a camera, from another room. */
export default function WallPage({ tools }: { tools?: (camera: string) => ReactNode }) {
  const { t } = useI18n()
  const registry = useRegistry()
  const wall = useWall(registry.order, registry.byId)
  const isPhone = useMediaQuery('(max-width: 640px)', false, { getInitialValueInEffect: false }) ?? false
  const [isListShown, setListShown] = useState(!isPhone)
  const page = useRef<HTMLDivElement>(null)
  const search = useRef<HTMLInputElement>(null)

  const focusTile = () => requestAnimationFrame(() => page.current?.querySelector<HTMLElement>('[data-tile][tabindex="0"]')?.focus())
  const choose = () => {
    setListShown(true)
    requestAnimationFrame(() => search.current?.focus())
  }
  const toggleFull = () => {
    if (document.fullscreenElement !== null) void document.exitFullscreen()
    else void page.current?.requestFullscreen?.()
  }
  // The tile knows the instant of its picture, so the key presses the tile's own button.
  const openPlayback = () => page.current?.querySelector<HTMLElement>('[data-tile][tabindex="0"] [data-act="playback"], [data-large] [data-act="playback"]')?.click()
  const { over, scene, jumpToAlert } = useWallOver(wall, focusTile)
  useWallKeys(wall, isPhone, { choose, toggleFull, focusTile, openPlayback, jumpToAlert })

  const { layout, selected } = wall
  return (
    <div ref={page} className={classes['page']}>
      <h1 className="sc-hidden">{t('video.wall')}</h1>
      {isListShown ? (
        <CameraList entries={registry.entries} onWall={layout.tiles} tileNumber={selected + 1} onPick={wall.place} onLeave={focusTile} search={search} />
      ) : null}
      <WallBar size={layout.size} isLarge={layout.large !== null} isListShown={isListShown} scene={scene} onSize={wall.resize} onBack={wall.back} onList={() => setListShown(!isListShown)} onFull={toggleFull} />
      {registry.error !== null ? (
        <div className={classes['message']}>
          <ErrorNotice error={registry.error} onRetry={registry.retry} />
        </div>
      ) : !registry.isReady ? (
        <div className={classes['message']}>
          <Loader m="xl" />
        </div>
      ) : registry.entries.length === 0 ? (
        <div className={classes['message']}>
          <EmptyState icon="camera" title={t('video.wall.none')}>{t('video.wall.none.do')}</EmptyState>
        </div>
      ) : (
        <WallGrid layout={layout} cameras={registry.byId} selected={selected} isPhone={isPhone} onSelect={wall.select} onOpen={wall.open} onPlayback={wall.playback} onAssign={wall.assign} onSwap={wall.swap} tools={tools} over={over} onChoose={(tile) => { wall.select(tile); choose() }} />
      )}
    </div>
  )
}
