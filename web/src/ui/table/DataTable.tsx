/**
 * A table that sorts by a click on a heading and draws only the rows in sight, so that 1,400 cameras stay smooth
 * on an old PC. Rows have one fixed height.
 */
import { useMemo, useRef, useState, type ReactNode } from 'react'
import { Icon } from '../Icon'
import { useWindow } from './useWindow'
import classes from './DataTable.module.css'

export interface Column<Row> {
  id: string
  label: string
  render: (row: Row) => ReactNode
  /** What the column sorts by; a column without it does not sort. Empty values go last. */
  sortBy?: (row: Row) => string | number | null
  /** Figures stand at the end of their cell. */
  figures?: boolean
  width?: string
}

interface DataTableProps<Row> {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  sortedBy?: { id: string; down: boolean }
  empty: ReactNode
  /** Narrower than this it scrolls sideways. */
  leastWidth?: string
}

const ROW_REM = 2.25

/** Rows grow with the text, which is larger on wide walls. */
function rowHeightPx(): number {
  const root = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  return ROW_REM * (root > 0 ? root : 16)
}

function compare(one: string | number | null, other: string | number | null, down: boolean): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1
  const order = typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true })
  return down ? -order : order
}

function sorted<Row>(rows: readonly Row[], column: Column<Row> | undefined, down: boolean): readonly Row[] {
  const by = column?.sortBy
  return by === undefined ? rows : [...rows].sort((one, other) => compare(by(one), by(other), down))
}

export function DataTable<Row>({ label, columns, rows, rowKey, sortedBy, empty, leastWidth }: DataTableProps<Row>) {
  const [sort, setSort] = useState(sortedBy ?? null)
  const inOrder = useMemo(() => sorted(rows, columns.find((column) => column.id === sort?.id), sort?.down ?? false), [rows, columns, sort])
  const box = useRef<HTMLDivElement>(null)
  const [rowPx] = useState(rowHeightPx)
  const { first, last } = useWindow(box, inOrder.length, rowPx)
  if (rows.length === 0) return empty

  const turn = (id: string) => setSort((now) => ({ id, down: now?.id === id ? !now.down : false }))
  return (
    <div className={classes['box']} ref={box} tabIndex={0} role="region" aria-label={label}>
      <table className={classes['table']} style={{ minInlineSize: leastWidth }} aria-label={label} aria-rowcount={rows.length + 1}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.id} style={{ inlineSize: column.width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={sort} onTurn={turn} />
            ))}
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden="true" style={{ blockSize: first * rowPx }} />
          {inOrder.slice(first, last).map((row, index) => (
            <tr key={rowKey(row)} aria-rowindex={first + index + 2} style={{ blockSize: rowPx }}>
              {columns.map((column) => (
                <td key={column.id} data-figures={column.figures}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
          <tr aria-hidden="true" style={{ blockSize: (inOrder.length - last) * rowPx }} />
        </tbody>
      </table>
    </div>
  )
}

interface HeadingProps<Row> {
  column: Column<Row>
  sort: { id: string; down: boolean } | null
  onTurn: (id: string) => void
}

function Heading<Row>({ column, sort, onTurn }: HeadingProps<Row>) {
  const mine = sort?.id === column.id
  return (
    <th scope="col" data-figures={column.figures} aria-sort={mine ? (sort.down ? 'descending' : 'ascending') : undefined}>
      {column.sortBy === undefined ? (
        column.label
      ) : (
        <button type="button" onClick={() => onTurn(column.id)}>
          {column.label}
          <span data-shown={mine || undefined} data-down={(mine && sort.down) || undefined}>
            <Icon name="sortUp" size={14} />
          </span>
        </button>
      )}
    </th>
  )
}
