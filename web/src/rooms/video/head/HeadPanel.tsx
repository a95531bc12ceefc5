import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { ActionIcon, Button, Select, Slider } from '@mantine/core'
import { letGo, useHead, useHeadOrder, type HeadOrder } from '../../../api/heads'
import { useI18n } from '../../../i18n/i18n'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { useTime } from '../../../ui/useTime'
import { Glyph, type GlyphName } from '../Glyph'
import { BoxLayer } from './BoxLayer'
import classes from './Head.module.css'

const SPEED = 0.5
/** Up is up in every language: these are directions of the picture, not of the text. */
const WAYS: Record<string, { pan?: number; tilt?: number; zoom?: number }> = {
  ArrowLeft: { pan: -SPEED },
  ArrowRight: { pan: SPEED },
  ArrowUp: { tilt: SPEED },
  ArrowDown: { tilt: -SPEED },
  '+': { zoom: SPEED },
  '-': { zoom: -SPEED },
}

interface PressProps {
  way: string
  label: string
  children: ReactNode
  send: (order: HeadOrder) => void
}

/** Turns for as long as it is held. */
function Held({ way, label, children, send }: PressProps) {
  const stop = () => send({ order: 'stop' })
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={label}
      title={label}
      className={classes[way]}
      data-way={way}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId) // let go elsewhere, it must still stop
        send({ order: 'run', run: WAYS[way] })
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
    >
      {children}
    </ActionIcon>
  )
}

const ARROWS: readonly { way: string; glyph: GlyphName; word: 'head.left' | 'head.right' | 'head.up' | 'head.down' }[] = [
  { way: 'ArrowUp', glyph: 'up', word: 'head.up' },
  { way: 'ArrowLeft', glyph: 'left', word: 'head.left' },
  { way: 'ArrowRight', glyph: 'right', word: 'head.right' },
  { way: 'ArrowDown', glyph: 'down', word: 'head.down' },
]

/** The controls of a head over its live picture: drag a box, hold an arrow, choose a preset. */
export function HeadPanel({ camera, tile, onClose }: { camera: string; tile: HTMLElement; onClose: () => void }) {
  const { t } = useI18n()
  const time = useTime()
  const panel = useRef<HTMLDivElement>(null)
  const head = useHead(camera)
  const order = useHeadOrder(camera)
  const send = (one: HeadOrder) => order.mutate(one)
  useEffect(() => {
    panel.current?.focus()
    return () => letGo(camera)
  }, [camera])
  const onKeyDown = (event: KeyboardEvent) => {
    const way = WAYS[event.key]
    if (event.key === 'Escape') onClose()
    else if (way === undefined || event.target !== panel.current) return
    else if (!event.repeat) send({ order: 'run', run: way })
    event.preventDefault()
    event.stopPropagation()
  }
  const onKeyUp = (event: KeyboardEvent) => {
    if (WAYS[event.key] !== undefined && event.target === panel.current) send({ order: 'stop' })
  }
  const now = head.data
  const presets = now?.presets ?? []
  const isTaken = now !== undefined && now.steered_until !== null && !now.is_mine
  return (
    <div ref={panel} className={classes['panel']} role="group" aria-label={t('head.turn')} tabIndex={-1} data-head={camera} onKeyDown={onKeyDown} onKeyUp={onKeyUp} onDoubleClick={(event) => event.stopPropagation()}>
      <BoxLayer tile={tile} label={t('head.box')} onBox={(box) => send({ order: 'box', box })} />
      <div className={classes['bar']}>
        <div className={classes['pad']} dir="ltr">
          {ARROWS.map(({ way, glyph, word }) => (
            <Held key={way} way={way} label={t(word)} send={send}>
              <Glyph name={glyph} size={18} />
            </Held>
          ))}
        </div>
        <div className={classes['zoom']}>
          <span className={classes['word']}>{t('head.zoom')}</span>
          <Slider key={now?.zoom ?? 0} min={0} max={1} step={0.01} label={null} thumbLabel={t('head.zoom')} defaultValue={now?.zoom ?? 0} disabled={now?.zoom == null} onChangeEnd={(zoom) => send({ order: 'zoom', zoom })} />
        </div>
        <Select size="sm" aria-label={t('head.preset')} placeholder={t(presets.length === 0 ? 'head.preset.none' : 'head.preset')} data={presets.map((one) => ({ value: one.token, label: one.name || one.token }))} disabled={presets.length === 0} value={null} onChange={(preset) => preset !== null && send({ order: 'preset', preset })} comboboxProps={{ position: 'top' }} data-act="preset" />
        <Button size="sm" fw={500} variant="default" data-act="home" onClick={() => send({ order: 'home' })}>
          {t('head.home')}
        </Button>
        <p className={classes['say']} role="status">
          {isTaken ? t('head.taken', { time: time.clock(now.steered_until ?? '') }) : now?.is_moving === true ? t('head.moving') : t('head.hint')}
        </p>
      </div>
      {order.isError ? <div className={classes['error']}><ErrorNotice error={order.error} /></div> : null}
      {head.isError && !order.isError ? <div className={classes['error']}><ErrorNotice error={head.error} /></div> : null}
    </div>
  )
}
