import { describe, expect, it } from 'vitest'
import type { Alert } from '../../api/wire'
import { mostUrgentNew, waiting } from './alertNews'

const alert = (id: string, over: Partial<Alert> = {}): Alert => ({ id, priority: 1, state: 'unacknowledged', ...over }) as Alert

describe('news of the queue', () => {
  it('counts what nobody has taken', () => {
    expect(waiting([alert('a'), alert('b', { state: 'acknowledged' }), alert('c', { priority: 4 })])).toBe(2)
  })

  it('speaks of an urgent newcomer only, and of nothing when the page opens', () => {
    const queue = [alert('a'), alert('b', { priority: 2 }), alert('c', { priority: 3 })]
    expect(mostUrgentNew(null, queue)).toBeNull()
    expect(mostUrgentNew(new Set(['a']), queue)?.id).toBe('b')
    expect(mostUrgentNew(new Set(['a', 'b']), queue)).toBeNull()
  })
})
