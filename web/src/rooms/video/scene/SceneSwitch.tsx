import { ActionIcon } from '@mantine/core'
import { useI18n } from '../../../i18n/i18n'
import { Glyph } from '../Glyph'
import type { SceneShown } from './useSceneShown'

export function SceneSwitch({ isShown, turn }: SceneShown) {
  const { t } = useI18n()
  return (
    <ActionIcon variant={isShown ? 'filled' : 'default'} aria-pressed={isShown} aria-label={t('scene.turn')} title={`${t('scene.turn')} (L)`} onClick={turn}>
      <Glyph name="scene" size={18} />
    </ActionIcon>
  )
}
