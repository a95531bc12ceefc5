import { useRef, useState, type KeyboardEvent } from 'react'
import { Button, Textarea } from '@mantine/core'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { ErrorNotice } from '../ErrorNotice'
import { KeyHint } from '../KeyHint'
import classes from './History.module.css'

interface NoteEntryProps {
  hint: string
  isPending: boolean
  error: unknown
  /** Calls back when the server has written it. */
  onWrite: (text: string, done: () => void) => void
}

const LONGEST = 2000

/** One line for the history: N to begin, Enter writes, Shift+Enter makes a new line, Escape leaves. */
export function NoteEntry({ hint, isPending, error, onWrite }: NoteEntryProps) {
  const { t } = useI18n()
  const [text, setText] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)
  useKeys([{ chord: 'n', label: t('keys.note'), run: () => field.current?.focus() }])
  const write = () => {
    if (text.trim() !== '' && !isPending) onWrite(text.trim(), () => setText(''))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') field.current?.blur()
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    write()
  }
  return (
    <form className={classes['entry']} onSubmit={(event) => { event.preventDefault(); write() }}>
      {error === null || error === undefined ? null : <ErrorNotice error={error} />}
      <div className={classes['write']}>
        <Textarea ref={field} className={classes['field'] ?? ''} size="sm" aria-label={t('incident.note')} placeholder={hint} autosize minRows={1} maxRows={4} maxLength={LONGEST} dir="auto" value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={onKeyDown} rightSection={text === '' ? <KeyHint chord="n" /> : null} />
        <Button type="submit" variant="default" loading={isPending} disabled={text.trim() === ''}>{t('incident.note.write')}</Button>
      </div>
    </form>
  )
}
