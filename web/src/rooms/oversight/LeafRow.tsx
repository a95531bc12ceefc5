import type { Leaf } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { useTime } from '../../ui/useTime'
import { LeafProof } from './LeafProof'
import { phraseOf, summaryOf } from './leafSummary'
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

interface LeafRowProps {
  leaf: Leaf
  /** Of the log on this page: the proof is asked for against its root. */
  size: number
  opened: boolean
  onTurn: (index: number) => void
}

export function LeafRow({ leaf, size, opened, onTurn }: LeafRowProps) {
  const { t } = useI18n()
  const time = useTime()
  const { who, what, permitted } = summaryOf(leaf)
  const phrase = phraseOf(leaf.type)
  return (
    <li className={classes['leaf']} data-opened={opened || undefined}>
      <button type="button" className={classes['line']} aria-expanded={opened} aria-label={t('log.open', { index: leaf.index })} onClick={() => onTurn(leaf.index)}>
        <span className={classes['turn']}><Icon name={opened ? 'chevronDown' : 'chevron'} size={16} mirrored={!opened} /></span>
        <span className={classes['index']}><Ltr>{count(leaf.index)}</Ltr></span>
        <bdi>{time.full(leaf.time)}</bdi>
        <span className={classes['kind']}>{phrase === null ? <Ltr>{leaf.type}</Ltr> : t(phrase)}</span>
        <span className={classes['who']}><Ltr>{who}</Ltr></span>
        <span className={classes['what']}><Ltr>{what}</Ltr></span>
        <Answer permitted={permitted} />
      </button>
      {opened ? (
        <div className={classes['inside']}>
          <div>
            <h3>{t('log.content')}</h3>
            {leaf.body === null ? <p>{t('log.erased')}</p> : <pre dir="ltr">{JSON.stringify(leaf.body, null, 2)}</pre>}
          </div>
          <div>
            <LeafProof leaf={leaf} size={size} />
          </div>
        </div>
      ) : null}
    </li>
  )
}
