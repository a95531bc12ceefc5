import { Menu } from '@mantine/core'
import { useMay, useShift, useSignOut } from '../../api/queries'
import type { Session } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { Icon } from '../Icon'
import { RoleItems, useRoleSwitch } from './RoleSwitch'
import { useTime } from '../useTime'
import classes from './Shell.module.css'

export function UserMenu({ session }: { session: Session }) {
  const { t } = useI18n()
  const time = useTime()
  const shift = useShift()
  const signOut = useSignOut()
  const { roles } = useRoleSwitch(session)
  const mayWorkShifts = useMay('start_shift')
  const onShift = session.shift === null ? t('shell.shift.off') : t('shell.shift.on', { time: time.short(session.shift.since) })
  return (
    <Menu position="bottom-end" width={280}>
      <Menu.Target>
        <button type="button" className={classes['user']} aria-label={`${t('shell.user')}: ${session.display_name}`}>
          <Icon name="user" />
          <span className={classes['narrowHidden']}>
            <b dir="auto">{session.display_name}</b>
            <small>
              {t(`role.${session.role}`)}
              {mayWorkShifts ? ` · ${onShift}` : null}
            </small>
          </span>
          <Icon name="chevronDown" size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.display_name} · {t(`role.${session.role}`)}
          {mayWorkShifts ? <div>{onShift}</div> : null}
        </Menu.Label>
        {mayWorkShifts ? (
          <Menu.Item leftSection={<Icon name="clock" size={16} />} disabled={shift.isPending} onClick={() => shift.mutate(session.shift === null)}>
            {session.shift === null ? t('shell.shift.start') : t('shell.shift.end')}
          </Menu.Item>
        ) : null}
        <RoleItems session={session} roles={roles} />
        <Menu.Item leftSection={<Icon name="signOut" size={16} mirrored />} onClick={() => signOut.mutate()}>
          {t('shell.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
