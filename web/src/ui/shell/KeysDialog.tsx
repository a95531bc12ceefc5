import { Modal } from '@mantine/core'
import { useI18n } from '../../i18n/i18n'
import { useKeyCommands, type KeyCommand } from '../../lib/keys'
import { KeyHint } from '../KeyHint'
import classes from './Shell.module.css'

function Commands({ title, commands }: { title: string; commands: readonly KeyCommand[] }) {
  const byLabel = new Map<string, KeyCommand[]>()
  for (const command of commands) byLabel.set(command.label, [...(byLabel.get(command.label) ?? []), command])
  if (byLabel.size === 0) return null
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {[...byLabel].map(([label, same]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {same.map((command) => (
                <KeyHint key={command.chord} chord={command.chord} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** `?`: what the keyboard does everywhere and on the page that is open. */
export function KeysDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useI18n()
  const commands = useKeyCommands()
  return (
    <Modal opened={opened} onClose={onClose} title={t('shell.keys.title')} size="lg" closeButtonProps={{ 'aria-label': t('shell.close') }}>
      <div className={classes['keys']}>
        <Commands title={t('shell.keys.everywhere')} commands={commands.filter((command) => command.global)} />
        <Commands title={t('shell.keys.here')} commands={commands.filter((command) => !command.global)} />
      </div>
    </Modal>
  )
}
