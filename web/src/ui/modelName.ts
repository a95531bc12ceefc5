/** What told classes apart, in words; a detector keeps the name it is known by. */
import { useCallback } from 'react'
import { useI18n } from '../i18n/i18n'

/** What the server says where no detector is installed. */
export const MOTION_ONLY = 'motion'

export function useModelName(): (model: string) => string {
  const { t } = useI18n()
  return useCallback((model) => (model === MOTION_ONLY || model === '' ? t('model.motion') : `\u2068${model}\u2069`), [t])
}
