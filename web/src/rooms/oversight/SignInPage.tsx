import { useState, type FormEvent } from 'react'
import { Button, PasswordInput, TextInput } from '@mantine/core'
import { ApiError } from '../../api/client'
import { useConfig, useSignIn } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { cityName } from '../../ui/cityName'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon } from '../../ui/Icon'
import { DemoCards } from './DemoCards'
import classes from './SignIn.module.css'

/** A wrong password is told in the person's language; everything else in the server's words. */
function Refusal({ error }: { error: unknown }) {
  const { t } = useI18n()
  if (!(error instanceof ApiError && [401, 403].includes(error.status))) return <ErrorNotice error={error} />
  return (
    <p className={classes['wrong']} role="alert">
      <Icon name="warn" size={18} />
      {t('signIn.wrong')}
    </p>
  )
}

function SignInForm() {
  const { t } = useI18n()
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useSignIn()
  const send = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate({ user: user.trim(), password }, { onError: () => setPassword('') })
  }
  return (
    <form onSubmit={send} className={classes['form']}>
      <TextInput label={t('signIn.user')} name="username" autoComplete="username" value={user} onChange={(event) => setUser(event.currentTarget.value)} dir="ltr" required autoFocus withAsterisk={false} />
      <PasswordInput label={t('signIn.password')} name="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} dir="ltr" required withAsterisk={false} />
      {signIn.isError ? <Refusal error={signIn.error} /> : null}
      <Button type="submit" size="md" loading={signIn.isPending}>
        {t('signIn.do')}
      </Button>
    </form>
  )
}

/** The city by name, and in a demo what this is. */
function Head({ isDemo }: { isDemo: boolean }) {
  const { t, pick } = useI18n()
  const config = useConfig()
  return (
    <header className={classes['head']}>
      <img src="/mark.svg" width={48} height={48} alt="" />
      <div>
        <h1>{config.data === undefined ? t('shell.app') : cityName(pick(config.data), t('shell.app'))}</h1>
        <p>
          {t('shell.app')} · {t(isDemo ? 'demo.title' : 'shell.centre')}
        </p>
      </div>
    </header>
  )
}

/** The door. A demo asks for a role and no typing; signing in by name is a link below. */
export default function SignInPage() {
  const { t, language, setLanguage } = useI18n()
  const config = useConfig()
  const [isTyping, setTyping] = useState(false)
  const isDemo = config.data?.demo === true
  const offersCards = isDemo && !isTyping
  return (
    <main className={classes['page']}>
      <div className={classes['card']} data-wide={offersCards || undefined}>
        <Head isDemo={isDemo} />
        {config.isError ? <ErrorNotice error={config.error} onRetry={() => void config.refetch()} /> : null}
        {offersCards ? (
          <>
            <p className={classes['what']}>{t('demo.what')}</p>
            <DemoCards />
          </>
        ) : config.isPending ? null : <SignInForm />}
        <p className={classes['note']}>{t('signIn.promise')}</p>
        {isDemo ? (
          <div className={classes['other']}>
            <button type="button" className={classes['link']} data-act="type" onClick={() => setTyping(!isTyping)}>
              {t(isTyping ? 'demo.cards.back' : 'demo.typed')}
            </button>
            {isTyping ? <span className={classes['note']}>{t('signIn.demo')}</span> : null}
          </div>
        ) : null}
      </div>
      <Button variant="subtle" color="gray" lang={language === 'en' ? 'ur' : 'en'} aria-label={t('shell.language.label')} onClick={() => setLanguage(language === 'en' ? 'ur' : 'en')}>
        {t('shell.language')}
      </Button>
    </main>
  )
}
