import type { Leaf } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import type { WordKey } from '../../i18n/words'
import { count } from '../../lib/amounts'
import { duration } from '../../lib/time'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { useTime } from '../../ui/useTime'
import { LeafProof } from './LeafProof'
import { kindOf, phraseOf, summaryOf, type LeafSummary } from './leafSummary'
import classes from './Log.module.css'

function Answer({ permitted }: { permitted: boolean | null }) {
  const { t } = useI18n()
  if (permitted === null) return <span>–</span>
  return (
    <span className={classes['answer']} data-permitted={permitted}>
      <Icon name={permitted ? 'check' : 'cross'} size={16} />
      {permitted ? t('log.yes') : t('log.no')}
    </span>
  )
}

function Who({ who }: { who: LeafSummary['who'] }) {
  const { t } = useI18n()
  return <bdi>{who === 'machine' ? t('log.machine') : who === 'unknown' ? '–' : who}</bdi>
}

/** What was asked where the answer was no, on what, and why not; a camera by the name people know. */
function What({ summary, nameOf }: { summary: LeafSummary; nameOf: (camera: string) => string }) {
  const { t } = useI18n()
  const { act, camera, about, said, seconds, reason } = summary
  const named = (key: WordKey | null, word: string) => (key === null ? word : t(key))
  const parts = [
    act === null ? null : named(phraseOf('act', act), act),
    camera === null ? null : nameOf(camera),
    about === null ? null : `\u2068${about}\u2069`,
    ...said.map((one) => (typeof one === 'string' ? `\u2068${one}\u2069` : t(one.key, one.values))),
    seconds === null ? null : `\u2068${duration(seconds)}\u2069`,
    reason === null ? null : named(phraseOf('reason', reason), reason),
  ]
  return <bdi>{parts.filter((part) => part !== null).join(' · ')}</bdi>
}

interface LeafRowProps {
  leaf: Leaf
  nameOf: (camera: string) => string
  opened: boolean
  onTurn: (index: number) => void
}

export function LeafRow({ leaf, nameOf, opened, onTurn }: LeafRowProps) {
  const { t } = useI18n()
  const time = useTime()
  const summary = summaryOf(leaf)
  const phrase = kindOf(leaf)
  return (
    <li className={classes['leaf']} data-opened={opened || undefined}>
      <button type="button" className={classes['line']} aria-expanded={opened} aria-label={t('log.open', { index: leaf.index })} onClick={() => onTurn(leaf.index)}>
        <span className={classes['turn']}><Icon name={opened ? 'chevronDown' : 'chevron'} size={16} mirrored={!opened} /></span>
        <span className={classes['index']}><Ltr>{count(leaf.index)}</Ltr></span>
        <bdi>{time.full(leaf.time)}</bdi>
        <span className={classes['kind']}>{phrase === null ? <Ltr>{leaf.type}</Ltr> : t(phrase)}</span>
        <span className={classes['who']}><Who who={summary.who} /></span>
        <span className={classes['what']}><What summary={summary} nameOf={nameOf} /></span>
        <Answer permitted={summary.permitted} />
      </button>
      {opened ? (
        <div className={classes['inside']}>
          <div>
            <h3>{t('log.content')}</h3>
            {leaf.body === null ? <p>{t('log.erased')}</p> : <pre dir="ltr">{JSON.stringify(leaf.body, null, 2)}</pre>}
          </div>
          <div>
            <LeafProof leaf={leaf} />
          </div>
        </div>
      ) : null}
    </li>
  )
}
