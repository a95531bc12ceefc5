import { describe, expect, it } from 'vitest'
import { byQueue } from './order'

const alert = (id: string, over: Partial<Parameters<typeof byQueue>[0]> = {}) => ({
  id, priority: 2, level: 0, due_at: '2026-11-20T10:00:30Z', first_at: '2026-11-20T10:00:00Z', ...over,
})

describe('byQueue', () => {
  it('goes by priority, then escalation, then what is due, then age', () => {
    const queue = [
      alert('old', { due_at: null }),
      alert('young', { first_at: '2026-11-20T10:05:00Z', due_at: null }),
      alert('due later', { due_at: '2026-11-20T10:02:00Z' }),
      alert('due soon'),
      alert('escalated', { level: 2, due_at: null }),
      alert('urgent', { priority: 1, due_at: null, first_at: '2026-11-20T11:00:00Z' }),
    ]
    expect([...queue].sort(byQueue).map((one) => one.id)).toEqual(['urgent', 'escalated', 'due soon', 'due later', 'old', 'young'])
  })

  it('compares instants, not their texts', () => {
    const one = alert('one', { due_at: '2026-11-20T15:00:10+05:00' })
    const other = alert('other', { due_at: '2026-11-20T10:00:09.500000Z' })
    expect([one, other].sort(byQueue)[0]?.id).toBe('other')
  })

  it('is an order: never both ways, and equal only to itself', () => {
    const all = [1, 2].flatMap((priority) => [0, 2].flatMap((level) => [null, '2026-11-20T10:00:30Z'].map((due_at) => alert(`${priority}${level}${due_at}`, { priority, level, due_at }))))
    for (const one of all) for (const other of all) expect(Math.sign(byQueue(one, other)) + Math.sign(byQueue(other, one))).toBe(0)
    for (const one of all) for (const other of all) expect(byQueue(one, other) === 0).toBe(one === other)
  })
})
