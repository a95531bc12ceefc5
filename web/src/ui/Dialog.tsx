import type { KeyboardEvent, ReactNode } from 'react'
import { Modal } from '@mantine/core'
import { useI18n } from '../i18n/i18n'

interface DialogProps {
  title: ReactNode
  opened: boolean
  onClose: () => void
  size?: string | number
  /** Keys of the dialog itself; those of the page behind it rest while it is open. */
  onKey?: (event: KeyboardEvent) => void
  children: ReactNode
}

/** A question over the page: holds the focus, Escape closes it, and no key reaches the page behind it. */
export function Dialog({ title, opened, onClose, size = 'md', onKey, children }: DialogProps) {
  const { t } = useI18n()
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      returnFocus
      closeButtonProps={{ 'aria-label': t('shell.close') }}
      onKeyDown={(event) => {
        onKey?.(event)
        event.stopPropagation()
      }}
    >
      {children}
    </Modal>
  )
}

const isTyped = (target: EventTarget): boolean => target instanceof HTMLElement && target.matches('textarea, input:not([type=radio])')

/** 1, 2, 3, ... choose in a dialog, except where a digit is being typed. */
export function digitOf(event: KeyboardEvent): number | null {
  if (event.ctrlKey || event.altKey || event.metaKey || isTyped(event.target)) return null
  return /^[1-9]$/.test(event.key) ? Number(event.key) : null
}
