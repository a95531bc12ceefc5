import { useEffect, useRef, useState, type DragEvent, type ReactNode, type RefObject } from 'react'
import { ActionIcon } from '@mantine/core'
import { useCameraState } from '../../../api/queries'
import type { Camera } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Icon } from '../../../ui/Icon'
import { StateShape } from '../../../ui/StateShape'
import { hasPictureDecoder } from '../../../lib/player/canvasScreen'
import type { StreamName } from '../../../lib/player/liveModel'
import type { LiveWay } from '../../../lib/player/livePicture'
import { hasMediaSource } from '../../../lib/player/mediaSource'
import { useLive, type LiveSurface } from '../useLive'
import { CaptureClock } from './CaptureClock'
import { TileNotice } from './TileNotice'
import classes from './Tile.module.css'

export interface TileActions {
  onOpen: () => void
  /** At the instant of the picture on the screen. */
  onPlayback: (at: number) => void
  /** Unset where the tile does not stand on a wall. */
  onClear?: () => void
  /** More buttons, from another room. */
  tools?: ReactNode
  /** Drawn over the picture, under the buttons. */
  over?: ReactNode
}

interface TileProps extends TileActions {
  camera: Camera
  isSelected: boolean
  isLarge: boolean
}

/** HLS only where there is nothing better: it is seconds late. */
function firstWay(isLarge: boolean): LiveWay {
  if (!hasMediaSource()) return 'hls'
  return isLarge && hasPictureDecoder() ? 'webcodecs' : 'mse'
}

const STATE_SHAPES = { live: 'live', stalled: 'stalled', offline: 'offline' } as const

/** One live camera: its picture, its name, and whatever keeps it from being live. */
export function Tile({ camera, isSelected, isLarge, onOpen, onPlayback, onClear, tools, over }: TileProps) {
  const { t, pick } = useI18n()
  const surface = useRef<LiveSurface>(null)
  const [stream, setStream] = useState<StreamName>(isLarge ? 'main' : 'sub')
  // One camera alone is watched closely, or steered: there the least delay counts. A wall is better off with MSE.
  const [way, setWay] = useState<LiveWay>(() => firstWay(isLarge))
  const { verdict, player } = useLive(surface, { camera: camera.id, stream, way })
  const known = useCameraState(camera.id)
  const isCodecRefused = verdict.cause === 'codec' && stream === 'main'
  useEffect(() => {
    if (isCodecRefused) setStream('sub') // many browsers have no H.265: the sub stream is H.264
  }, [isCodecRefused])
  const isDecoderBroken = way === 'webcodecs' && verdict.cause === 'media'
  useEffect(() => {
    if (isDecoderBroken) setWay('mse')
  }, [isDecoderBroken])
  const name = pick(camera)
  const closing = t(isLarge ? 'video.wall.back' : 'video.tile.clear')
  const shape = verdict.state in STATE_SHAPES ? STATE_SHAPES[verdict.state as keyof typeof STATE_SHAPES] : 'unknown'
  const picture = {
    className: classes['video'],
    'data-camera': camera.id,
    'data-state': verdict.state,
    'data-stream': stream,
    'data-way': way,
    onDoubleClick: onOpen,
    'aria-label': t('video.tile.picture', { camera: name }),
  }
  return (
    <div className={classes['picture']} data-picture={camera.id} data-state={verdict.state}>
      {way === 'webcodecs' ? (
        <canvas ref={surface as RefObject<HTMLCanvasElement>} role="img" {...picture} />
      ) : (
        <video ref={surface as RefObject<HTMLVideoElement>} muted playsInline disablePictureInPicture {...picture} />
      )}
      <TileNotice verdict={verdict} knownCause={known?.state === 'live' ? null : (known?.cause ?? null)} onRetry={() => player.current?.play()} />
      {over}
      <div className={classes['caption']}>
        <StateShape state={shape} size={12} title={t(`video.state.${verdict.state}`)} />
        <span className={classes['name']} title={name}>{name}</span>
        <span className={classes['clock']} data-always={isLarge || isSelected || undefined}>
          <CaptureClock player={player} />
        </span>
      </div>
      <div className={classes['actions']} data-always={isLarge || undefined}>
        {tools}
        <ActionIcon variant="default" aria-label={t('video.tile.playback')} title={t('video.tile.playback')} data-act="playback" onClick={() => onPlayback(player.current?.findCaptureTime() ?? Date.now())}>
          <Icon name="playback" size={18} />
        </ActionIcon>
        {onClear === undefined ? null : (
          <ActionIcon variant="default" aria-label={closing} title={closing} onClick={onClear}>
            <Icon name="close" size={18} />
          </ActionIcon>
        )}
      </div>
    </div>
  )
}

interface TileSlotProps extends TileActions {
  index: number
  camera: Camera | null
  /** An id in the address that the registry does not know. */
  unknownId: string | null
  isSelected: boolean
  onSelect: () => void
  onDropCamera: (camera: string) => void
  onDropTile: (from: number) => void
  onChoose: () => void
}

export const CAMERA_TYPE = 'application/x-safecity-camera'
const TILE_TYPE = 'application/x-safecity-tile'

/** The place of a tile on the wall: takes the focus, and cameras dropped on it. */
export function TileSlot(props: TileSlotProps) {
  const { index, camera, unknownId, isSelected, onSelect, onDropCamera, onDropTile, onChoose } = props
  const { t, pick } = useI18n()
  const [isOver, setIsOver] = useState(false)
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setIsOver(false)
    const dropped = event.dataTransfer.getData(CAMERA_TYPE)
    const from = event.dataTransfer.getData(TILE_TYPE)
    if (dropped !== '') onDropCamera(dropped)
    else if (from !== '') onDropTile(Number(from))
  }
  return (
    <div
      className={classes['slot']}
      role="gridcell"
      tabIndex={isSelected ? 0 : -1}
      data-tile={index}
      data-selected={isSelected || undefined}
      data-over={isOver || undefined}
      aria-label={camera === null ? t('video.tile.empty') : pick(camera)}
      draggable={camera !== null}
      onDragStart={(event) => event.dataTransfer.setData(TILE_TYPE, String(index))}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={onDrop}
      onFocus={onSelect}
      onPointerDown={onSelect}
    >
      {camera !== null ? (
        <Tile key={camera.id} {...props} camera={camera} isLarge={false} />
      ) : (
        <button type="button" className={classes['empty']} onClick={onChoose}>
          <Icon name="plus" size={24} />
          {unknownId === null ? t('video.tile.choose') : t('video.tile.unknown', { id: unknownId })}
        </button>
      )}
    </div>
  )
}
