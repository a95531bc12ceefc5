/** What the page says of a cause; the server may know causes that an older page does not. */
import { words, type WordKey } from '../i18n/words'

const known = (key: string): key is WordKey => key in words

export function causePhrase(cause: string | null): WordKey | null {
  if (cause === null) return null
  const key = `cause.${cause}`
  return known(key) ? key : 'cause.other'
}

/** One word, for a table. */
export function shortCausePhrase(cause: string | null): WordKey | null {
  if (cause === null) return null
  const key = `cause.${cause}.short`
  return known(key) ? key : 'cause.other'
}
