import { Menu } from '@mantine/core'
import { useNavigate } from 'react-router'
import { useDemoCards, useDemoEnter } from '../../api/demo'
import { useConfig } from '../../api/queries'
import type { DemoRole, Session } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { KeyHint } from '../KeyHint'

/** In the demo: the roles, each by two keys ("g" goes to pages as well, so no page takes it). The person that leaves goes off duty. */
export function useRoleSwitch(session: Session) {
  const { t, pick } = useI18n()
  const navigate = useNavigate()
  const isDemo = useConfig().data?.demo === true
  const cards = useDemoCards(isDemo).data ?? []
  const enter = useDemoEnter()
  const roles = cards.map((card, index) => ({
    role: card.role,
    name: pick({ name: card.display_name, name_ur: card.display_name_ur }),
    chord: `g ${index + 1}`,
    run: () => {
      if (enter.isPending || card.role === session.role) return
      enter.mutate({ role: card.role as DemoRole, leaves: session }, { onSuccess: () => void navigate('/') })
    },
  }))
  useKeys(roles.map(({ chord, name, run }) => ({ chord, label: t('shell.role.change.to', { role: name }), run, global: true })))
  return { roles, error: enter.error }
}

export function RoleItems({ session, roles }: { session: Session; roles: ReturnType<typeof useRoleSwitch>['roles'] }) {
  const { t } = useI18n()
  if (roles.length === 0) return null
  return (
    <>
      <Menu.Label>{t('shell.role.change')}</Menu.Label>
      {roles.map(({ role, name, chord, run }) => (
        <Menu.Item key={role} onClick={run} disabled={role === session.role} rightSection={<KeyHint chord={chord} />} data-role={role}>
          {name}
        </Menu.Item>
      ))}
      <Menu.Divider />
    </>
  )
}
