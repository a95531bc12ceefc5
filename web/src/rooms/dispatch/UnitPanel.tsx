import { useState } from 'react'
import { Button } from '@mantine/core'
import { useMay } from '../../api/queries'
import { useProposals, useSendUnit, useUnits } from '../../api/response'
import type { IncidentDetail, Unit } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { KeyHint } from '../../ui/KeyHint'
import { Panel } from '../../ui/Panel'
import { Assigned } from './Assigned'
import { Proposals } from './Proposals'
import { UnitList } from './UnitList'
import classes from './Units.module.css'

const NO_UNITS: readonly Unit[] = []

/** Who could go, nearest first, and who is on it. */
export function UnitPanel({ detail }: { detail: IncidentDetail }) {
  const { t } = useI18n()
  const { incident, assignments } = detail
  const isOpen = incident.stage !== 'closed'
  const [mayDispatch, mayList] = [useMay('dispatch_units'), useMay('list_units')]
  const units = useUnits() ?? NO_UNITS
  const proposals = useProposals(incident.id, isOpen && mayDispatch)
  const send = useSendUnit(incident.id)
  const [isListed, setListed] = useState(false)
  useKeys(mayList ? [{ chord: 'a', label: t('keys.units'), run: () => setListed(true) }] : [])
  const aside = mayList ? (
    <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setListed(true)} rightSection={<KeyHint chord="a" />}>{t('unit.all')}</Button>
  ) : null
  return (
    <Panel fill title={t('unit.title')} aside={aside}>
      {assignments.length === 0 && isOpen && mayDispatch ? null : (
        <section className={classes['part']} aria-label={t('unit.on_it')}>
          <h3>{t('unit.on_it')}</h3>
          <Assigned incident={incident.id} assignments={assignments} units={units} mayStep={isOpen && mayDispatch} />
        </section>
      )}
      {isOpen && mayDispatch ? (
        <section className={classes['part']}>
          <h3>{t('unit.nearest')} <small>{t('unit.straight')}</small></h3>
          <Proposals proposals={proposals.data} error={proposals.error} sending={send.isPending ? send.variables : null} onSend={send.mutate} onRetry={() => void proposals.refetch()} />
          {send.isError ? <ErrorNotice error={send.error} /> : null}
        </section>
      ) : null}
      {mayList ? <UnitList opened={isListed} onClose={() => setListed(false)} units={units} /> : <p className={classes['sentence']}>{t('unit.role')}</p>}
    </Panel>
  )
}
