import type { Camera } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { EmptyState } from '../../ui/EmptyState'
import { Ltr } from '../../ui/Ltr'
import { Panel } from '../../ui/Panel'
import { CameraLine } from './CameraLine'
import type { Chosen } from './map/cityMap'
import { notLive, type States } from './states'
import classes from './Map.module.css'

/** A list longer than this is a table's work: the Health page has it. */
const LISTED = 100

interface AttentionListProps {
  cameras: readonly Camera[]
  states: States
  onChoose: (chosen: Chosen) => void
}

/** Beside the map while nothing is chosen: what does not work, the latest first. */
export function AttentionList({ cameras, states, onChoose }: AttentionListProps) {
  const { t } = useI18n()
  const troubled = notLive(cameras, states)
  return (
    <Panel fill title={t('attention.title')} aside={<Ltr>{count(troubled.length)}</Ltr>}>
      {troubled.length === 0 ? (
        <EmptyState icon="check" title={t('attention.none')}>{t('attention.none.do')}</EmptyState>
      ) : (
        <ul className={classes['lines']}>
          {troubled.slice(0, LISTED).map(({ camera, entry }) => (
            <CameraLine key={camera.id} camera={camera} entry={entry} onOpen={(id) => onChoose({ camera: id, site: null })} />
          ))}
        </ul>
      )}
    </Panel>
  )
}
