import { Button } from '@mantine/core'
import type { Alert } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Icon } from '../../../ui/Icon'
import { KeyHint } from '../../../ui/KeyHint'
import { CLOSE_REASONS } from './model'
import type { Deeds } from './useDeeds'
import classes from './Pane.module.css'

/** Why it is closed: one key each, Escape leaves. */
function Reasons({ deeds }: { deeds: Deeds }) {
  const { t } = useI18n()
  useKeys([
    ...CLOSE_REASONS.map((reason, index) => ({ chord: String(index + 1), label: t(`reason.${reason}`), run: () => deeds.close(reason) })),
    { chord: 'Escape', label: t('alert.do.cancel'), run: () => deeds.setClosing(false) },
  ])
  return (
    <div className={classes['reasons']} role="group" aria-label={t('alert.do.close.why')}>
      <strong>{t('alert.do.close.why')}</strong>
      {CLOSE_REASONS.map((reason, index) => (
        <Button key={reason} variant="default" size="md" leftSection={<KeyHint chord={String(index + 1)} />} data-reason={reason} onClick={() => deeds.close(reason)}>
          {t(`reason.${reason}`)}
        </Button>
      ))}
      <Button variant="subtle" color="gray" size="md" rightSection={<KeyHint chord="Escape" />} onClick={() => deeds.setClosing(false)}>
        {t('alert.do.cancel')}
      </Button>
    </div>
  )
}

/** The next step as the one large button, the others beside it; each with its key. */
export function Actions({ alert, deeds, mayHandle }: { alert: Alert; deeds: Deeds; mayHandle: boolean }) {
  const { t } = useI18n()
  const { choices, pending } = deeds
  useKeys([
    { chord: 'Enter', label: t('keys.alert.next'), run: deeds.next },
    { chord: 'c', label: t('keys.alert.close'), run: () => deeds.setClosing(true) },
    { chord: 'e', label: t('keys.alert.escalate'), run: deeds.escalate },
    { chord: 'r', label: t('keys.alert.release'), run: deeds.release },
  ])
  return (
    <footer className={classes['actions']}>
      {deeds.error === null ? null : <div className={classes['fault']}><ErrorNotice error={deeds.error} /></div>}
      {!mayHandle ? <p className={classes['sub']}>{t('alert.role')}</p> : deeds.isClosing ? <Reasons deeds={deeds} /> : (
        <div className={classes['deeds']}>
          {choices.next === null ? <p className={classes['sub']}>{t('alert.taken', { name: alert.owner?.name ?? '–' })}</p> : (
            <Button className={classes['next'] ?? ''} size="lg" loading={pending === choices.next} onClick={deeds.next} rightSection={<KeyHint chord="Enter" />} data-act={choices.next}>
              <span>
                {t(`alert.do.${choices.next}`)}
                <small>{t(`alert.do.${choices.next}.why`)}</small>
              </span>
            </Button>
          )}
          {choices.mayDecide ? (
            <Button variant="default" size="lg" loading={pending === 'close'} onClick={() => deeds.setClosing(true)} leftSection={<Icon name="close" />} rightSection={<KeyHint chord="c" />} data-act="close">
              {t('alert.do.close')}
            </Button>
          ) : null}
          {choices.mayEscalate ? (
            <Button variant="default" size="lg" loading={pending === 'escalate'} onClick={deeds.escalate} leftSection={<Icon name="escalate" />} rightSection={<KeyHint chord="e" />} data-act="escalate">
              {t('alert.do.escalate')}
            </Button>
          ) : null}
          {choices.mayRelease ? (
            <Button variant="default" size="lg" loading={pending === 'release'} onClick={deeds.release} leftSection={<Icon name="release" mirrored />} rightSection={<KeyHint chord="r" />} data-act="release">
              {t('alert.do.release')}
            </Button>
          ) : null}
        </div>
      )}
    </footer>
  )
}
