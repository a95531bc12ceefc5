import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataTable, type Column } from './DataTable'

interface Row {
  name: string
  fps: number | null
}
const columns: Column<Row>[] = [
  { id: 'name', label: 'Name', render: (row) => row.name, sortBy: (row) => row.name },
  { id: 'fps', label: 'Frames', render: (row) => row.fps ?? '–', sortBy: (row) => row.fps },
]
const table = (rows: Row[]) => <DataTable label="Cameras" columns={columns} rows={rows} rowKey={(row) => row.name} empty={<p>none</p>} />
const names = () => screen.getAllByRole('row').slice(1).map((row) => row.querySelector('td')?.textContent)

beforeEach(() => vi.stubGlobal('ResizeObserver', class { observe() {} disconnect() {} }))
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

describe('DataTable', () => {
  it('sorts by a heading, back and forth, with what is unknown last', () => {
    render(table([{ name: 'cam-10', fps: 25 }, { name: 'cam-2', fps: null }, { name: 'cam-1', fps: 5 }]))
    fireEvent.click(screen.getByRole('button', { name: 'Name' }))
    expect(names()).toEqual(['cam-1', 'cam-2', 'cam-10'])
    fireEvent.click(screen.getByRole('button', { name: 'Frames' }))
    expect(names()).toEqual(['cam-1', 'cam-10', 'cam-2'])
    fireEvent.click(screen.getByRole('button', { name: 'Frames' }))
    expect(names()).toEqual(['cam-10', 'cam-1', 'cam-2'])
  })

  it('draws a part of 1,400 rows and tells how many there are', () => {
    render(table(Array.from({ length: 1400 }, (_, i) => ({ name: `cam-${i}`, fps: 25 }))))
    expect(screen.getAllByRole('row').length).toBeLessThan(60)
    expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('1401')
  })

  it('says so where there is nothing, and shows rows that come later', () => {
    const { rerender } = render(table([]))
    expect(screen.getByText('none')).toBeTruthy()
    rerender(table([{ name: 'cam-1', fps: 1 }]))
    expect(names()).toEqual(['cam-1'])
  })
})
