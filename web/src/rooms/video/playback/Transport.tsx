import { useState, type FormEvent, type RefObject } from 'react'
import { ActionIcon, Button, SegmentedControl, TextInput } from '@mantine/core'
import { useI18n } from '../../../i18n/i18n'
import type { PlaybackView } from '../../../lib/player/playbackPlayer'
import { RATES, type Rate } from '../../../lib/player/plan'
import { Icon } from '../../../ui/Icon'
import { useTime } from '../../../ui/useTime'
import { Glyph } from '../Glyph'
import { parseTime, SPANS_MS, zoneOffsetMs } from './timeline'
import classes from './Playback.module.css'

function GoTo({ at, onSeek, input }: { at: number; onSeek: (at: number) => void; input: RefObject<HTMLInputElement | null> }) {
  const { t } = useI18n()
  const { place } = useTime()
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    const found = parseTime(text, at, zoneOffsetMs(at, place.zone))
    setWrong(found === null)
    if (found === null) return
    onSeek(found)
    setText('')
    input.current?.blur()
  }
  return (
    <form onSubmit={onSubmit} className={classes['goto']}>
      <TextInput ref={input} size="xs" dir="ltr" w={170} aria-label={t('video.goto')} placeholder={t('video.goto.hint')} title={t('video.goto.title')} value={text} error={isWrong ? t('video.goto.wrong') : undefined} onChange={(event) => setText(event.currentTarget.value)} leftSection={<Icon name="clock" size={15} />} />
    </form>
  )
}

interface TransportProps {
  view: PlaybackView
  spanMs: number
  timeInput: RefObject<HTMLInputElement | null>
  onToggle: () => void
  onStep: (direction: 1 | -1) => void
  onRate: (rate: Rate) => void
  onSeek: (at: number) => void
  onSpan: (spanMs: number) => void
}

/** Play, step, speed, how much of the day is in sight, and a time to go to. The player's keys run left to right always. */
export function Transport({ view, spanMs, timeInput, onToggle, onStep, onRate, onSeek, onSpan }: TransportProps) {
  const { t } = useI18n()
  const span = SPANS_MS.find((one) => Math.abs(one - spanMs) < one * 0.02)
  return (
    <div className={classes['transport']} role="toolbar" aria-label={t('video.transport')}>
      <div className={classes['buttons']} dir="ltr">
        <Button size="compact-sm" variant="default" onClick={() => onSeek(view.at - 10_000)} aria-label={t('video.keys.back10')}>−10 s</Button>
        <ActionIcon variant="default" size="md" onClick={() => onStep(-1)} aria-label={t('video.keys.stepBack')} title={t('video.keys.stepBack')}>
          <Glyph name="back" size={17} />
        </ActionIcon>
        <ActionIcon variant="filled" size="lg" onClick={onToggle} aria-label={t(view.isPlaying ? 'video.pause' : 'video.play')} data-act="toggle">
          <Icon name={view.isPlaying ? 'pause' : 'play'} size={20} />
        </ActionIcon>
        <ActionIcon variant="default" size="md" onClick={() => onStep(1)} aria-label={t('video.keys.step')} title={t('video.keys.step')}>
          <Glyph name="ahead" size={17} />
        </ActionIcon>
        <Button size="compact-sm" variant="default" onClick={() => onSeek(view.at + 10_000)} aria-label={t('video.keys.ahead10')}>+10 s</Button>
      </div>
      <div dir="ltr">
        <SegmentedControl size="xs" aria-label={t('video.rate')} value={String(view.rate)} onChange={(value) => onRate(Number(value) as Rate)} data={RATES.map((rate) => ({ value: String(rate), label: `${rate}×` }))} />
      </div>
      <span className={classes['spring']} />
      <SegmentedControl size="xs" aria-label={t('video.span')} value={span === undefined ? '' : String(span)} onChange={(value) => onSpan(Number(value))} data={SPANS_MS.map((one) => ({ value: String(one), label: t(`video.span.${one}`) }))} />
      <GoTo at={view.at} onSeek={onSeek} input={timeInput} />
    </div>
  )
}
