import { useEffect, useRef, useState } from 'react'
import { Button, Loader, SegmentedControl, TextInput } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useCases, type CaseFilter } from '../../api/cases'
import type { Case } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon } from '../../ui/Icon'
import { KeyHint } from '../../ui/KeyHint'
import { useRowKeys } from '../../ui/useRowKeys'
import { CaseRow } from './CaseRow'
import classes from './Cases.module.css'

const SEARCH_AFTER_MS = 250
const STATES: readonly CaseFilter[] = ['all', 'open', 'closed']

/** Search and state stand in the address, so that a colleague opens the same list. */
function useCasesUrl() {
  const [params, setParams] = useSearchParams()
  const change = (name: 'search' | 'state', value: string) =>
    setParams((now) => {
      const next = new URLSearchParams(now)
      if (value === '' || value === 'all') next.delete(name)
      else next.set(name, value)
      return next
    }, { replace: true })
  const state = STATES.find((one) => one === params.get('state')) ?? 'all'
  return { search: params.get('search') ?? '', state, change }
}

function Search({ search, onSearch }: { search: string; onSearch: (search: string) => void }) {
  const { t } = useI18n()
  const [text, setText] = useState(search)
  const field = useRef<HTMLInputElement>(null)
  const report = useRef(onSearch)
  report.current = onSearch
  useKeys([{ chord: '/', label: t('keys.search'), run: () => field.current?.focus() }])
  useEffect(() => {
    if (text.trim() === search) return undefined
    const timer = setTimeout(() => report.current(text.trim()), SEARCH_AFTER_MS)
    return () => clearTimeout(timer)
  }, [text, search])
  return (
    <TextInput ref={field} className={classes['search'] ?? ''} type="search" size="md" aria-label={t('keys.search')} placeholder={t('case.search')} maxLength={60} dir="auto" value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Escape' || event.key === 'ArrowDown') event.currentTarget.blur() }} leftSection={<Icon name="search" size={18} />} rightSection={text === '' ? <KeyHint chord="/" /> : null} data-field="search" />
  )
}

function Rows({ cases }: { cases: readonly Case[] }) {
  const { t } = useI18n()
  const box = useRef<HTMLOListElement>(null)
  useRowKeys(box)
  return (
    <ol ref={box} className={classes['rows']} aria-label={t('case.title')}>
      {cases.map((one) => <CaseRow key={one.id} one={one} />)}
    </ol>
  )
}

function List({ search, state }: { search: string; state: CaseFilter }) {
  const { t } = useI18n()
  const query = useCases(search, state)
  if (query.isError) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (query.data === undefined) return <Loader m="xl" aria-label={t('shell.loading')} />
  const cases = query.data.pages.flatMap((page) => page.cases)
  if (cases.length === 0) {
    const isAll = search === '' && state === 'all'
    return <EmptyState icon={isAll ? 'case' : 'search'} title={t(isAll ? 'case.none' : 'case.none.found')}>{t(isAll ? 'case.none.do' : 'case.none.found.do')}</EmptyState>
  }
  return (
    <>
      <Rows cases={cases} />
      {query.hasNextPage ? (
        <div className={classes['more']}>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t('case.older')}</Button>
        </div>
      ) : null}
    </>
  )
}

/** The cases, newest first, found by number, FIR number or station. */
export default function CasesPage() {
  const { t } = useI18n()
  const { search, state, change } = useCasesUrl()
  useKeys([{ chord: 's', label: t('case.state'), run: () => change('state', STATES[(STATES.indexOf(state) + 1) % STATES.length] ?? 'all') }])
  return (
    <div className={classes['list']}>
      <header className={classes['tools']}>
        <h1>{t('case.title')}</h1>
        <Search search={search} onSearch={(text) => change('search', text)} />
        <SegmentedControl value={state} onChange={(value) => change('state', value)} aria-label={t('case.state')} data={STATES.map((one) => ({ value: one, label: t(`case.${one}`) }))} />
      </header>
      <div className={classes['scroll']}><List search={search} state={state} /></div>
    </div>
  )
}
