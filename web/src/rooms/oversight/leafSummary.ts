/** What of a leaf's body fits in one line: who, what, and the answer where one was given. */
import type { Leaf } from '../../api/wire'

export interface LeafSummary {
  who: string
  what: string
  permitted: boolean | null
}

const text = (value: unknown): string | null =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : null

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function first(body: Record<string, unknown>, names: readonly string[]): string | null {
  for (const name of names) {
    const value = body[name]
    const found = isRecord(value) ? (text(value['user']) ?? text(value['id']) ?? text(value['name'])) : text(value)
    if (found !== null) return found
  }
  return null
}

const ANSWER = ['permitted', 'granted', 'allowed', 'answer', 'decision', 'outcome']

function answer(body: Record<string, unknown>): boolean | null {
  for (const name of ANSWER) {
    const value = body[name]
    if (typeof value === 'boolean') return value
    if (value === 'yes' || value === 'permit' || value === 'permitted' || value === 'granted') return true
    if (value === 'no' || value === 'deny' || value === 'denied' || value === 'refused') return false
  }
  return null
}

export function summaryOf({ type, body }: Leaf): LeafSummary {
  const what = [first(body, ['act', 'action']), first(body, ['resource', 'camera', 'subject', 'export', 'day'])]
  const answered = answer(body)
  const named = /(^|[._])(refused|denied)$/.test(type) ? false : /(^|[._])(granted|permitted)$/.test(type) ? true : null
  return {
    who: first(body, ['actor', 'user', 'who', 'by']) ?? '–',
    what: what.filter((part) => part !== null).join(' · '),
    permitted: answered ?? named,
  }
}
