import { Button } from '@mantine/core'
import { useI18n } from '../i18n/i18n'
import { Icon } from './Icon'
import { sentenceFor } from './problem'
import classes from './Notice.module.css'

/** A refusal or failure as sentences: what happened, in the server's words where it has some, and what to do. */
export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const { t } = useI18n()
  const { title, remedy, detail } = sentenceFor(error)
  return (
    <div className={classes['error']} role="alert">
      <Icon name="warn" />
      <div className={classes['body']}>
        <p className={classes['title']}>{t(title)}</p>
        {detail === undefined ? null : (
          <p className={classes['detail']} dir="auto">
            {detail}
          </p>
        )}
        <p className={classes['detail']}>{t(remedy)}</p>
        {onRetry === undefined ? null : (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            {t('shell.retry')}
          </Button>
        )}
      </div>
    </div>
  )
}
