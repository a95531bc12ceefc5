import { describe, expect, it } from 'vitest'
import type { Alert, Incident } from '../../../api/wire'
import { readChosen, writeChosen } from '../chosen'
import { alertMarks, calling, incidentMarks, nextAlert, shortNumber } from './happenings'

const alert = (id: string, part: Partial<Alert> = {}) => ({ id, camera: `cam_${id}`, priority: 3, state: 'unacknowledged', lon: 67, lat: 30, ...part }) as Alert

describe('alertMarks', () => {
  it('gives one mark a camera, with the first of the queue and how many there are', () => {
    const marks = alertMarks([alert('a', { camera: 'c1', priority: 1 }), alert('b', { camera: 'c2' }), alert('c', { camera: 'c1' }), alert('d', { camera: 'c1' })])
    expect(marks.features.map((one) => [one.properties.id, one.properties.count])).toEqual([['a', '3'], ['b', '']])
  })

  it('draws the more urgent on top', () => {
    const [one, two] = alertMarks([alert('a', { priority: 1 }), alert('b', { priority: 4 })]).features
    expect(one?.properties.order).toBeGreaterThan(two?.properties.order ?? 9)
  })

  it('joins alerts without a camera by place', () => {
    expect(alertMarks([alert('a', { camera: null }), alert('b', { camera: null }), alert('c', { camera: null, lon: 67.1 })]).features).toHaveLength(2)
  })
})

describe('calling', () => {
  it('leaves out what somebody has taken', () => {
    expect(calling([alert('a', { state: 'acknowledged' }), alert('b')]).map((one) => one.properties.id)).toEqual(['b'])
  })
})

describe('nextAlert', () => {
  const queue = [alert('a'), alert('b')]
  it('goes through the queue and begins again', () => {
    expect(nextAlert(queue, null)?.id).toBe('a')
    expect(nextAlert(queue, 'a')?.id).toBe('b')
    expect(nextAlert(queue, 'b')?.id).toBe('a')
    expect(nextAlert(queue, 'gone')?.id).toBe('a')
    expect(nextAlert([], 'a')).toBeNull()
  })
})

describe('incidents', () => {
  it('carry their number as it is said', () => {
    expect(shortNumber('2026-000041')).toBe('41')
    expect(shortNumber('X-1')).toBe('X-1')
    const [mark] = incidentMarks([{ id: 'i', priority: 2, number: '2026-000003', lon: 67, lat: 30 } as Incident]).features
    expect(mark?.properties.number).toBe('3')
  })
})

describe('the address', () => {
  it('says what is chosen and is read back', () => {
    for (const kind of ['camera', 'site', 'alert', 'incident', 'unit'] as const) {
      expect(readChosen(new URLSearchParams(writeChosen({ kind, id: 'x 1' })))).toEqual({ kind, id: 'x 1' })
    }
    expect(readChosen(new URLSearchParams('lang=ur'))).toBeNull()
    expect(readChosen(new URLSearchParams('alert='))).toBeNull()
  })
})
