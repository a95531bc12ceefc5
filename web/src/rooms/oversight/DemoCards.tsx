import { Loader } from '@mantine/core'
import { useNavigate } from 'react-router'
import { useDemoCards, useDemoEnter } from '../../api/demo'
import type { DemoCard, DemoRole } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon, type IconName } from '../../ui/Icon'
import { KeyHint } from '../../ui/KeyHint'
import classes from './SignIn.module.css'

const ICONS: Record<DemoRole, IconName> = {
  operator: 'queue', dispatcher: 'unit', investigator: 'case', supervisor: 'escalate', auditor: 'log', administrator: 'health',
}

const isKnown = (role: string): role is DemoRole => role in ICONS

/** The demo's door: a role by one click or one key, no typing. */
export function DemoCards() {
  const { t, pick } = useI18n()
  const navigate = useNavigate()
  const cards = useDemoCards(true)
  const enter = useDemoEnter()
  const known = (cards.data ?? []).filter((card): card is DemoCard & { role: DemoRole } => isKnown(card.role))
  const take = (role: DemoRole) => {
    if (!enter.isPending) enter.mutate({ role, leaves: null }, { onSuccess: () => void navigate('/') })
  }
  useKeys(known.map((card, index) => ({ chord: String(index + 1), label: t(`role.${card.role}`), run: () => take(card.role) })))
  if (cards.isError) return <ErrorNotice error={cards.error} onRetry={() => void cards.refetch()} />
  if (cards.isPending) return <Loader m="auto" aria-label={t('shell.loading')} />
  return (
    <>
      <ul className={classes['cards']} aria-label={t('demo.cards')}>
        {known.map(({ role, ...card }, index) => (
          <li key={role}>
            <button type="button" className={classes['role']} data-role={role} disabled={enter.isPending} onClick={() => take(role)}>
              {enter.isPending && enter.variables.role === role ? <Loader size={28} /> : <Icon name={ICONS[role]} size={28} />}
              <span>
                <b>{pick({ name: card.display_name, name_ur: card.display_name_ur })}</b>
                <small>{t(`demo.card.${role}`)}</small>
              </span>
              <KeyHint chord={String(index + 1)} />
            </button>
          </li>
        ))}
      </ul>
      {enter.isError ? <ErrorNotice error={enter.error} /> : null}
    </>
  )
}
