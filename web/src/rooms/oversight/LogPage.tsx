import { useMemo } from 'react'
import { Button, CopyButton, Loader, Select, Tooltip } from '@mantine/core'
import { useCameras, useLogPage, useLogTypes } from '../../api/queries'
import type { LogPage as Page } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { useKeys } from '../../lib/keys'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { phraseOf } from './leafSummary'
import { LeafRow } from './LeafRow'
import { useLogUrl, type LogUrl } from './useLogUrl'
import classes from './Log.module.css'

const PAGE_LEAVES = 50
const NO_TYPES: readonly string[] = []

function Root({ page }: { page: Page }) {
  const { t } = useI18n()
  return (
    <div className={classes['root']}>
      <strong>{t('log.size', { count: count(page.size) })}</strong>
      <Tooltip label={t('log.root.explain')} multiline w={320}>
        <span className={classes['rootHash']} tabIndex={0}>
          {t('log.root')} <Ltr>{page.root}</Ltr>
        </span>
      </Tooltip>
      <CopyButton value={`${page.size} ${page.root}`}>
        {({ copied, copy }) => (
          <Button variant="subtle" color="gray" size="compact-sm" onClick={copy} aria-label={t('log.copy')} leftSection={<Icon name={copied ? 'check' : 'copy'} size={16} />}>
            {copied ? t('log.copied') : t('log.copy')}
          </Button>
        )}
      </CopyButton>
    </div>
  )
}

interface FilterProps {
  url: LogUrl
  change: (part: Partial<LogUrl>) => void
  types: readonly string[]
  onRefresh: () => void
}

function Filter({ url, change, types, onRefresh }: FilterProps) {
  const { t } = useI18n()
  const kinds = [...new Set([...types, ...(url.type === null ? [] : [url.type])])].map((type) => {
    const phrase = phraseOf('leaf', type)
    return { value: type, label: phrase === null ? type : t(phrase) }
  })
  return (
    <div className={classes['tools']}>
      <Select size="xs" w={260} aria-label={t('log.filter')} placeholder={t('log.filter.all')} data={kinds} value={url.type} onChange={(type) => change({ type, before: null, leaf: null })} clearable searchable />
      <Button size="xs" variant="default" onClick={() => { change({ before: null, leaf: null }); onRefresh() }}>
        {url.before === null ? t('log.refresh') : t('log.newest')}
      </Button>
    </div>
  )
}

/** A camera's name in the page's language; its id where the registry no longer has it. */
function useCameraNames(): (camera: string) => string {
  const { pick } = useI18n()
  const cameras = useCameras().data
  return useMemo(() => {
    const names = new Map(cameras?.map((camera) => [camera.id, `${pick(camera)} \u2068${camera.code}\u2069`]))
    return (camera) => names.get(camera) ?? camera
  }, [cameras, pick])
}

function Leaves({ page, url, change }: { page: Page; url: LogUrl; change: (part: Partial<LogUrl>) => void }) {
  const { t } = useI18n()
  const { leaves } = page
  const nameOf = useCameraNames()
  const step = (by: number) => {
    const at = leaves.findIndex((leaf) => leaf.index === url.leaf)
    const next = leaves[at < 0 ? 0 : Math.min(leaves.length - 1, Math.max(0, at + by))]
    if (next !== undefined) change({ leaf: next.index })
  }
  useKeys([
    { chord: 'j', label: t('log.keys.next'), run: () => step(1) },
    { chord: 'k', label: t('log.keys.previous'), run: () => step(-1) },
  ])
  if (leaves.length === 0) return <EmptyState icon="log" title={t('log.empty')}>{t('log.empty.do')}</EmptyState>
  return (
    <ol className={classes['leaves']} aria-label={t('log.entries')}>
      {leaves.map((leaf) => (
        <LeafRow key={leaf.index} leaf={leaf} nameOf={nameOf} opened={leaf.index === url.leaf} onTurn={(index) => change({ leaf: index === url.leaf ? null : index })} />
      ))}
    </ol>
  )
}

export default function LogPage() {
  const { t } = useI18n()
  const [url, change] = useLogUrl()
  const page = useLogPage({ before: url.before, limit: PAGE_LEAVES, type: url.type })
  const leaves = page.data?.leaves ?? []
  const types = useLogTypes().data ?? NO_TYPES
  const lowest = leaves.at(-1)?.index
  return (
    <div className={classes['page']}>
      <h1 className="sc-hidden">{t('log.title')}</h1>
      <header className={classes['head']}>
        {page.data === undefined ? null : <Root page={page.data} />}
        <Filter url={url} change={change} types={types} onRefresh={() => void page.refetch()} />
      </header>
      {page.isError ? <ErrorNotice error={page.error} onRetry={() => void page.refetch()} /> : null}
      <div className={classes['scroll']} aria-busy={page.isFetching}>
        {page.data === undefined && !page.isError ? <Loader m="xl" /> : null}
        {page.data === undefined ? null : <Leaves page={page.data} url={url} change={change} />}
        {leaves.length === PAGE_LEAVES && lowest !== undefined && lowest > 0 ? (
          <Button variant="default" m="sm" onClick={() => change({ before: lowest, leaf: null })}>
            {t('log.older')}
          </Button>
        ) : null}
      </div>
    </div>
  )
}
