import { describe, expect, it } from 'vitest'
import { homeOf, pages } from './pages'

describe('pages', () => {
  it('have letters and paths of their own', () => {
    expect(new Set(pages.map((page) => page.letter)).size).toBe(pages.length)
    expect(new Set(pages.map((page) => page.path)).size).toBe(pages.length)
  })
})

describe('homeOf', () => {
  it('opens where the work of a role begins', () => {
    expect(homeOf({ role: 'operator', acts: ['list_cameras', 'list_alerts'] })).toBe('/queue')
    expect(homeOf({ role: 'investigator', acts: ['list_cameras', 'view_live', 'list_incidents', 'list_cases'] })).toBe('/cases')
    expect(homeOf({ role: 'auditor', acts: ['read_log', 'list_cameras'] })).toBe('/log')
    expect(homeOf({ role: 'administrator', acts: ['list_cameras', 'view_health'] })).toBe('/health')
  })

  it('never leads to a page that the acts do not open', () => {
    expect(homeOf({ role: 'operator', acts: ['list_cameras'] })).toBe('/map')
    expect(homeOf({ role: 'operator', acts: ['manage_users'] })).toBeUndefined()
  })
})
