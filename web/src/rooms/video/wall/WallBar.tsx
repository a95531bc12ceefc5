import { ActionIcon, Button, SegmentedControl } from '@mantine/core'
import { useI18n } from '../../../i18n/i18n'
import { Icon } from '../../../ui/Icon'
import { Glyph } from '../Glyph'
import { SceneSwitch } from '../scene/SceneSwitch'
import type { SceneShown } from '../scene/useSceneShown'
import { SIZES, type WallSize } from './layout'
import classes from './Wall.module.css'

interface WallBarProps {
  size: WallSize
  isLarge: boolean
  isListShown: boolean
  scene: SceneShown
  onSize: (size: WallSize) => void
  onBack: () => void
  onList: () => void
  onFull: () => void
}

export function WallBar({ size, isLarge, isListShown, scene, onSize, onBack, onList, onFull }: WallBarProps) {
  const { t } = useI18n()
  return (
    <div className={classes['bar']} role="toolbar" aria-label={t('video.wall')}>
      <Button size="compact-sm" variant={isListShown ? 'light' : 'default'} leftSection={<Icon name="camera" size={16} />} aria-pressed={isListShown} onClick={onList}>
        {t('video.list')}
      </Button>
      {isLarge ? (
        <Button size="compact-sm" variant="default" leftSection={<Icon name="wall" size={16} />} onClick={onBack}>
          {t('video.wall.back')}
        </Button>
      ) : (
        <SegmentedControl size="xs" aria-label={t('video.wall.size')} value={String(size)} onChange={(value) => onSize(Number(value) as WallSize)} data={SIZES.map((one) => ({ value: String(one), label: String(one) }))} />
      )}
      <span className={classes['spring']} />
      <SceneSwitch {...scene} />
      <ActionIcon variant="default" aria-label={t('video.full')} title={t('video.full')} onClick={onFull}>
        <Glyph name="full" size={18} />
      </ActionIcon>
    </div>
  )
}
