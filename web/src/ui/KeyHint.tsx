import { Fragment } from 'react'
import { useI18n } from '../i18n/i18n'
import classes from './KeyHint.module.css'

const NAMES: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', ' ': 'Space', Escape: 'Esc' }

/** A chord as key caps: "g m" is g then m, "Shift+ArrowLeft" both at once. */
export function KeyHint({ chord }: { chord: string }) {
  const { t } = useI18n()
  const presses = chord === ' ' ? [' '] : chord.split(' ')
  return (
    <bdi className={classes['hint']}>
      {presses.map((press, index) => (
        <Fragment key={press}>
          {index > 0 ? <span className={classes['then']}>{t('shell.keys.then')}</span> : null}
          {(press.length === 1 ? [press] : press.split('+')).map((cap) => (
            <kbd key={cap} className={classes['cap']}>
              {NAMES[cap] ?? (cap.length === 1 ? cap.toUpperCase() : cap)}
            </kbd>
          ))}
        </Fragment>
      ))}
    </bdi>
  )
}
