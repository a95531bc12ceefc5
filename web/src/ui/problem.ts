/** Which sentence an error becomes. */
import { ApiError, LinkError } from '../api/client'
import type { WordKey } from '../i18n/words'

const KINDS = ['invalid', 'denied', 'not_found', 'conflict', 'exhausted', 'unavailable', 'data_loss', 'internal'] as const
type Kind = (typeof KINDS)[number]
type ErrorName = Kind | 'link' | 'signedOut'

const BY_STATUS: Record<number, ErrorName> = {
  400: 'invalid', 401: 'signedOut', 403: 'denied', 404: 'not_found', 409: 'conflict', 422: 'invalid', 429: 'exhausted',
  502: 'unavailable', 503: 'unavailable', 504: 'unavailable',
}

function nameOf(error: unknown): ErrorName {
  if (error instanceof LinkError) return 'link'
  if (!(error instanceof ApiError)) return 'internal'
  if (error.status === 401) return 'signedOut'
  const kind = error.problem.kind?.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
  return KINDS.find((known) => known === kind) ?? BY_STATUS[error.status] ?? 'internal'
}

export interface Sentence {
  title: WordKey
  /** What to do. */
  remedy: WordKey
  /** The server's own words about this very case, where it gave some. */
  detail: string | undefined
}

export function sentenceFor(error: unknown): Sentence {
  const name = nameOf(error)
  const detail = error instanceof ApiError ? error.problem.detail : undefined
  return { title: `error.${name}`, remedy: `error.${name}.do`, detail }
}
