import { Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { fetchProof } from '../../api/queries'
import type { InclusionProof, Leaf } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { verify, type StepName, type StepResult, type Verification } from './verify'
import classes from './Log.module.css'

interface Checked extends Verification {
  proof: InclusionProof
}

async function check(leaf: Leaf, signal: AbortSignal): Promise<Checked> {
  const proof = await fetchProof(leaf.index, signal)
  return { proof, ...(await verify(leaf, proof)) }
}

const MARKS = { proven: 'check', broken: 'cross', erased: 'minus' } as const

function Step({ name, result }: { name: StepName; result: StepResult }) {
  const { t } = useI18n()
  return (
    <li data-result={result}>
      <Icon name={MARKS[result]} size={16} />
      <span>
        {result === 'erased' ? t('log.step.erased') : t(`log.step.${name}`)}
        {result === 'broken' ? <strong>: {t('log.step.broken')}</strong> : null}
      </span>
    </li>
  )
}

function Verdict({ checked }: { checked: Checked }) {
  const { t } = useI18n()
  const { isProven, proof } = checked
  return (
    <div className={classes['verdict']} data-proven={isProven} data-testid="proof" role="status">
      <Icon name={isProven ? 'shield' : 'warn'} size={28} />
      <div>
        <strong>{isProven ? t('log.proven') : t('log.broken')}</strong>
        <p>{isProven ? t('log.proven.detail', { size: count(proof.size) }) : t('log.broken.detail')}</p>
        <ul className={classes['steps']}>
          {(['content', 'entry', 'path'] as const).map((name) => (
            <Step key={name} name={name} result={checked.steps[name]} />
          ))}
        </ul>
      </div>
    </div>
  )
}

export function LeafProof({ leaf }: { leaf: Leaf }) {
  const { t } = useI18n()
  const checked = useQuery({
    queryKey: ['log', 'proof', leaf.index, leaf.hash],
    queryFn: ({ signal }) => check(leaf, signal),
    staleTime: Infinity,
  })
  if (checked.isError) return <ErrorNotice error={checked.error} onRetry={() => void checked.refetch()} />
  if (checked.data === undefined) {
    return (
      <p className={classes['checking']}>
        <Loader size="xs" /> {t('log.checking')}
      </p>
    )
  }
  const { proof, reached } = checked.data
  return (
    <>
      <Verdict checked={checked.data} />
      <dl className={classes['hashes']}>
        <dt>{t('log.leafHash')}</dt>
        <dd><Ltr>{leaf.hash}</Ltr></dd>
        <dt>{t('log.path')}</dt>
        <dd>
          <details>
            <summary>{t('log.path.steps', { count: proof.path.length })}</summary>
            <ol>
              {proof.path.map((hash) => (
                <li key={hash}><Ltr>{hash}</Ltr></li>
              ))}
            </ol>
          </details>
        </dd>
        <dt>{t('log.reached')}</dt>
        <dd><Ltr>{reached ?? '–'}</Ltr></dd>
        <dt>{t('log.expected')}</dt>
        <dd><Ltr>{proof.root}</Ltr></dd>
      </dl>
    </>
  )
}
