import { useState } from 'react'
import { Loader, NumberInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { FIRST_PLAN, usePlan, type PlanAsk } from '../../../api/plan'
import type { PlanLine } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { words, type WordKey } from '../../../i18n/words'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { figure, grouped, within } from './figures'
import classes from './Plan.module.css'

/** What the server plans for. */
const LIMITS: Record<keyof PlanAsk, readonly [number, number]> = { cameras: [1, 100_000], mbit: [0.1, 100], days: [1, 3650] }
/** Typing "1400" is one question, not four. */
const ASK_AFTER_MS = 350

/** The page's word where it has one, else what the server calls it. */
function useWord(): (family: string, word: string) => string {
  const { t } = useI18n()
  return (family, word) => {
    const key = `${family}.${word}`
    return key in words ? t(key as WordKey) : word
  }
}

function Asked({ ask, onChange }: { ask: PlanAsk; onChange: (ask: PlanAsk) => void }) {
  const { t } = useI18n()
  return (
    <form className={classes['asked']} onSubmit={(event) => event.preventDefault()}>
      {(['cameras', 'mbit', 'days'] as const).map((name) => (
        <NumberInput
          key={name}
          label={t(`plan.ask.${name}`)}
          min={LIMITS[name][0]}
          max={LIMITS[name][1]}
          decimalScale={name === 'cameras' ? 0 : 1}
          step={name === 'cameras' ? 100 : 1}
          defaultValue={ask[name]}
          onChange={(value) => {
            const number = within(value, ...LIMITS[name])
            if (number !== null) onChange({ ...ask, [name]: number })
          }}
        />
      ))}
    </form>
  )
}

function Line({ line }: { line: PlanLine }) {
  const word = useWord()
  return (
    <tr>
      <th scope="row">{word('plan.key', line.key)}</th>
      <td className={classes['value']}><Ltr>{figure(line.value)}</Ltr></td>
      <td className={classes['unit']}>{word('plan.unit', line.unit)}</td>
      <td className={classes['formula']}><Ltr>{line.formula}</Ltr></td>
    </tr>
  )
}

/** What a city of some size needs, each figure with how it was reckoned and what nobody has measured. */
export function CityPlan() {
  const { t, language } = useI18n()
  const [ask, setAsk] = useState(FIRST_PLAN)
  const [asked] = useDebouncedValue(ask, ASK_AFTER_MS)
  const plan = usePlan(asked)
  return (
    <div className={classes['plan']}>
      <div className={classes['head']}>
        <p>{t('plan.what')}</p>
        <Asked ask={ask} onChange={setAsk} />
      </div>
      {plan.isError ? <ErrorNotice error={plan.error} onRetry={() => void plan.refetch()} /> : null}
      {plan.data === undefined ? (plan.isError ? null : <Loader m="xl" aria-label={t('shell.loading')} />) : (
        <div className={classes['parts']} aria-busy={plan.isPlaceholderData}>
          {grouped(plan.data.lines).map(({ part, lines }) => (
            <Panel key={part} title={t(`plan.part.${part}`)}>
              <table className={classes['table']}>
                <tbody>{lines.map((line) => <Line key={line.key} line={line} />)}</tbody>
              </table>
            </Panel>
          ))}
          <Panel title={t('plan.notes')} aside={language === 'ur' ? <small>{t('plan.notes.english')}</small> : null}>
            <ul className={classes['notes']} lang="en" dir="ltr">
              {plan.data.notes.map((note) => <li key={note}>{note}</li>)}
            </ul>
          </Panel>
        </div>
      )}
    </div>
  )
}
