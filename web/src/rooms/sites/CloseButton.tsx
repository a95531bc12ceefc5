import { ActionIcon } from '@mantine/core'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { Icon } from '../../ui/Icon'

/** Back to the list of what needs attention; Escape does the same. */
export function CloseButton({ onClose }: { onClose: () => void }) {
  const { t } = useI18n()
  useKeys([{ chord: 'Escape', label: t('camera.back'), run: onClose }])
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={t('camera.back')} title={`${t('camera.back')} (Esc)`} onClick={onClose}>
      <Icon name="close" size={18} />
    </ActionIcon>
  )
}
