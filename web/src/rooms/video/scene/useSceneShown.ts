/** Whether lines and zones lie over live pictures: one choice for all of them, kept on this computer. */
import { useCallback, useState } from 'react'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'

const STORED_AS = 'safecity.scene.shown'

export interface SceneShown {
  isShown: boolean
  turn: () => void
}

/** L turns it on and off. */
export function useSceneShown(): SceneShown {
  const { t } = useI18n()
  const [isShown, setShown] = useState(() => window.localStorage.getItem(STORED_AS) === 'yes')
  const turn = useCallback(() => {
    setShown((before) => {
      window.localStorage.setItem(STORED_AS, before ? 'no' : 'yes')
      return !before
    })
  }, [])
  useKeys([{ chord: 'l', label: t('scene.turn'), run: turn }])
  return { isShown, turn }
}
