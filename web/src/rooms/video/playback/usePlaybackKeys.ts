import { useI18n } from '../../../i18n/i18n'
import { nextRate, type Rate } from '../../../lib/player/plan'
import { useKeys } from '../../../lib/keys'

export interface PlaybackDeeds {
  at: number
  rate: Rate
  seek: (at: number) => void
  toggle: () => void
  step: (direction: 1 | -1) => void
  setRate: (rate: Rate) => void
  zoom: (factor: number) => void
  mark: (end: 'from' | 'to') => void
  goTo: () => void
  full: () => void
}

/** The keys of playback; arrows and letters as editors of film use them. */
export function usePlaybackKeys(deeds: PlaybackDeeds): void {
  const { t } = useI18n()
  const { at, rate, seek, toggle, step, setRate, zoom, mark, goTo, full } = deeds
  useKeys([
    { chord: ' ', label: t('video.keys.toggle'), run: toggle },
    { chord: 'k', label: t('video.keys.toggle'), run: toggle },
    { chord: 'ArrowLeft', label: t('video.keys.second'), run: () => seek(at - 1_000) },
    { chord: 'ArrowRight', label: t('video.keys.second'), run: () => seek(at + 1_000) },
    { chord: 'Shift+ArrowLeft', label: t('video.keys.ten'), run: () => seek(at - 10_000) },
    { chord: 'Shift+ArrowRight', label: t('video.keys.ten'), run: () => seek(at + 10_000) },
    { chord: ',', label: t('video.keys.frame'), run: () => step(-1) },
    { chord: '.', label: t('video.keys.frame'), run: () => step(1) },
    { chord: 'j', label: t('video.keys.slower'), run: () => setRate(nextRate(rate, -1)) },
    { chord: 'l', label: t('video.keys.faster'), run: () => setRate(nextRate(rate, 1)) },
    { chord: '+', label: t('video.keys.zoomIn'), run: () => zoom(0.5) },
    { chord: '=', label: t('video.keys.zoomIn'), run: () => zoom(0.5) },
    { chord: '-', label: t('video.keys.zoomOut'), run: () => zoom(2) },
    { chord: 'i', label: t('video.keys.in'), run: () => mark('from') },
    { chord: 'o', label: t('video.keys.out'), run: () => mark('to') },
    { chord: 't', label: t('video.goto'), run: goTo },
    { chord: 'f', label: t('video.full'), run: full },
  ])
}
