import { useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { ActionIcon } from '@mantine/core'
import { useHeads } from '../../../api/heads'
import { useMay } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import { Glyph } from '../Glyph'
import { HeadPanel } from './HeadPanel'

/** Opens a turning camera's controls over its picture; nothing for a camera that does not turn. */
export function HeadSwitch({ camera }: { camera: string }) {
  const { t } = useI18n()
  const button = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  const turns = useHeads().data?.includes(camera) ?? false
  const maySteer = useMay('steer_camera')
  if (!turns || !maySteer) return null
  const tile = button.current?.closest<HTMLElement>('[data-picture]')
  return (
    <>
      <ActionIcon ref={button} variant={isOpen ? 'filled' : 'default'} aria-pressed={isOpen} aria-label={t('head.turn')} title={t('head.turn')} data-act="steer" onClick={() => setOpen(!isOpen)}>
        <Glyph name="head" size={18} />
      </ActionIcon>
      {isOpen && tile ? createPortal(<HeadPanel camera={camera} tile={tile} onClose={() => setOpen(false)} />, tile) : null}
    </>
  )
}
