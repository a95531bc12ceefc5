import { describe, expect, it } from 'vitest'
import type { Alert } from '../../../api/wire'
import { callsOf, jump } from './calls'

const alert = (id: string, camera: string | null) => ({ id, camera }) as Alert
const queue = [alert('a', 'c2'), alert('b', null), alert('c', 'c1'), alert('d', 'c2')]

describe('callsOf', () => {
  it('takes the first of the queue at each camera and counts the rest', () => {
    const calls = callsOf(queue)
    expect([...calls].map(([camera, call]) => [camera, call.alert.id, call.more])).toEqual([['c2', 'a', 1], ['c1', 'c', 0]])
  })
})

describe('jump', () => {
  const tiles = ['c0', 'c1', null, 'c2']
  it('goes to the alert of the selected tile', () => expect(jump(tiles, 1, queue)).toEqual({ alert: 'c' }))
  it('goes to the tile with the most urgent one from a calm tile', () => expect(jump(tiles, 0, queue)).toEqual({ tile: 3 }))
  it('stays where nothing on the wall calls', () => {
    expect(jump(['c0', null], 0, queue)).toBeNull()
    expect(jump(tiles, 2, [])).toBeNull()
  })
})
