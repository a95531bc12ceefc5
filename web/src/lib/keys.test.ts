import { describe, expect, it, vi } from 'vitest'
import { KeyTable, nameOf } from './keys'

const command = (chord: string) => ({ chord, label: chord, run: vi.fn() })

describe('KeyTable', () => {
  it('runs single keys and chords', () => {
    const table = new KeyTable()
    const [map, one] = [command('g m'), command('1')]
    table.register({}, [map, one])
    expect(table.press('1', 0)).toBe(true)
    expect(table.press('g', 100)).toBe(false)
    expect(table.press('m', 600)).toBe(true)
    expect(map.run).toHaveBeenCalledOnce()
    expect(one.run).toHaveBeenCalledOnce()
  })

  it('forgets the first key of a chord after a while, and after another key', () => {
    const table = new KeyTable()
    const map = command('g m')
    table.register({}, [map])
    table.press('g', 0)
    table.press('m', 1300)
    table.press('g', 2000)
    table.press('x', 2100)
    table.press('m', 2200)
    expect(map.run).not.toHaveBeenCalled()
  })

  it('lets a page take a key over and gives it back', () => {
    const table = new KeyTable()
    const [shell, page] = [command('l'), command('l')]
    table.register({}, [shell])
    const leave = table.register({}, [page])
    table.press('l', 0)
    leave()
    table.press('l', 1)
    expect(page.run).toHaveBeenCalledOnce()
    expect(shell.run).toHaveBeenCalledOnce()
  })

  it('names keys the same on all keyboards', () => {
    expect(nameOf(new KeyboardEvent('keydown', { key: 'M', shiftKey: true }))).toBe('m')
    expect(nameOf(new KeyboardEvent('keydown', { key: '?', shiftKey: true }))).toBe('?')
    expect(nameOf(new KeyboardEvent('keydown', { key: 'ArrowLeft', shiftKey: true }))).toBe('Shift+ArrowLeft')
  })
})
