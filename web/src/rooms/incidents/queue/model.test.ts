import { describe, expect, it } from 'vitest'
import type { Alert } from '../../../api/wire'
import { afterGone, choicesOf, countdown, FULL_BAR_S, holderOf, holdOf, isMine, listFor, moveIn, type Me } from './model'

const ME: Me = { userId: 'usr_me', isSupervisor: false, mayHandle: true }
const CHIEF: Me = { ...ME, userId: 'usr_chief', isSupervisor: true }
const me = { user: 'usr_me', name: 'Sana' }
const other = { user: 'usr_other', name: 'Bilal' }

const alert = (over: Partial<Alert> = {}): Alert =>
  ({ id: 'alr', version: 1, state: 'unacknowledged', priority: 2, level: 0, offered_to: me, owner: null, due_at: null, ...over }) as Alert

describe('holdOf', () => {
  it.each([
    ['offered to me', alert(), 'for_you', 'Sana'],
    ['offered to another', alert({ offered_to: other }), 'offered', 'Bilal'],
    ['nobody on duty', alert({ offered_to: null, level: 1 }), 'everyone', null],
    ['the offer ran out', alert({ level: 1 }), 'everyone', null],
    ['escalated', alert({ level: 2 }), 'supervisor', null],
    ['taken by me', alert({ state: 'acknowledged', owner: me }), 'own', 'Sana'],
    ['taken by another', alert({ state: 'acknowledged', owner: other, level: 2 }), 'held', 'Bilal'],
  ] as const)('%s', (_, one, hold, holder) => {
    expect(holdOf(one, ME)).toBe(hold)
    expect(holderOf(one)).toBe(holder)
  })

  it('what is called out to the supervisor is the supervisor’s', () => {
    expect(isMine(alert({ level: 2 }), ME)).toBe(false)
    expect(isMine(alert({ level: 2 }), CHIEF)).toBe(true)
  })
})

describe('listFor', () => {
  it('keeps the order of the queue; mine has what I have taken on top', () => {
    const all = [alert({ id: 'a', offered_to: other }), alert({ id: 'b' }), alert({ id: 'c', state: 'acknowledged', owner: me })]
    expect(listFor(all, 'all', ME).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(listFor(all, 'mine', ME).map(({ id }) => id)).toEqual(['c', 'b'])
  })
})

describe('choicesOf', () => {
  it('Enter acknowledges what is free, whoever it was offered to, then confirms what is mine', () => {
    expect(choicesOf(alert({ offered_to: other }), ME).next).toBe('acknowledge')
    expect(choicesOf(alert({ state: 'acknowledged', owner: me }), ME)).toEqual({ next: 'confirm', mayDecide: true, mayRelease: true, mayEscalate: true })
  })

  it('what another has taken is theirs, except for the supervisor', () => {
    const taken = alert({ state: 'acknowledged', owner: other })
    expect(choicesOf(taken, ME)).toMatchObject({ next: null, mayDecide: false, mayRelease: false })
    expect(choicesOf(taken, CHIEF)).toMatchObject({ next: 'confirm', mayDecide: true, mayRelease: true })
  })

  it('nothing may be done with a decided one, nor by those who only look', () => {
    for (const state of ['confirmed', 'closed'] as const) expect(Object.values(choicesOf(alert({ state }), CHIEF)).some(Boolean)).toBe(false)
    expect(Object.values(choicesOf(alert(), { ...ME, mayHandle: false })).some(Boolean)).toBe(false)
  })

  it('the supervisor is not called twice', () => {
    expect(choicesOf(alert({ level: 2 }), ME).mayEscalate).toBe(false)
  })
})

describe('countdown', () => {
  const now = Date.parse('2026-11-20T10:00:00Z')
  it('runs from a full bar to nothing and never below', () => {
    expect(countdown(null, now)).toBeNull()
    expect(countdown('2026-11-20T10:00:30Z', now)).toEqual({ leftS: 30, share: 30 / FULL_BAR_S, isSoon: false })
    expect(countdown('2026-11-20T10:30:00Z', now)?.share).toBe(1)
    expect(countdown('2026-11-20T10:00:09Z', now)?.isSoon).toBe(true)
    expect(countdown('2026-11-20T09:00:00Z', now)).toEqual({ leftS: 0, share: 0, isSoon: true })
  })
})

describe('moving in the list', () => {
  const ids = ['a', 'b', 'c']
  it('goes to the neighbour, holds at the ends and begins at the top', () => {
    expect([moveIn(ids, 'a', 1), moveIn(ids, 'c', 1), moveIn(ids, 'a', -1), moveIn(ids, null, -1), moveIn([], null, 1)]).toEqual(['b', 'c', 'a', 'a', null])
  })

  it('falls to the one that follows when the selected one goes', () => {
    expect(afterGone(ids, ['a', 'c'], 'b')).toBe('c')
    expect(afterGone(ids, ['a', 'b'], 'c')).toBe('b')
    expect(afterGone(ids, ['x'], 'b')).toBe('x')
    expect(afterGone(ids, [], 'b')).toBeNull()
  })
})
