import { describe, expect, it } from 'vitest'
import type { Alert } from '../../../api/wire'
import { marksOf, neighbour } from './alertMarks'

const at = (s: number): string => new Date(s * 1000).toISOString()
const alert = (id: string, s: number, priority = 3) => ({ id, priority, first_at: at(s), clip_from: at(s - 5) }) as Alert
const view = { from: 0, to: 1_000_000 }

describe('marksOf', () => {
  it('stands where the alert was first seen, and leaves out what is not in sight', () => {
    expect(marksOf([alert('b', 500), alert('a', 100), alert('c', 2000)], view).map(({ alert: { id }, share }) => [id, share])).toEqual([['a', 0.1], ['b', 0.5]])
  })

  it('joins what would cover each other under the most urgent', () => {
    expect(marksOf([alert('a', 100), alert('b', 105, 1), alert('c', 200)], view).map(({ alert: { id }, count }) => [id, count])).toEqual([['b', 2], ['c', 1]])
  })
})

describe('neighbour', () => {
  const all = [alert('a', 100), alert('b', 200), alert('c', 300)]
  it('goes to the next clip and to the one before', () => {
    expect(neighbour(all, 150_000, 1)?.id).toBe('b')
    expect(neighbour(all, 195_000, 1)?.id).toBe('c')
    expect(neighbour(all, 250_000, -1)?.id).toBe('b')
  })

  it('from the start of a clip goes back past it', () => expect(neighbour(all, 196_000, -1)?.id).toBe('a'))
  it('stays at the ends', () => {
    expect(neighbour(all, 400_000, 1)).toBeNull()
    expect(neighbour(all, 0, -1)).toBeNull()
  })
})
