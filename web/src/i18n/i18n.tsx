/**
 * The page's two languages. `useI18n()` gives `t`, the language and its direction; the choice is kept in this
 * browser. A value filled into a phrase is isolated (U+2068..U+2069), so that a time or a camera's code stays
 * readable inside an Urdu sentence.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { DirectionProvider, useDirection } from '@mantine/core'
import type { Phrase } from './define'
import { words, type WordKey } from './words'

export type Language = 'en' | 'ur'
export type Values = Readonly<Record<string, string | number>>
export type Translate = (key: WordKey, values?: Values) => string

interface I18n {
  language: Language
  dir: 'ltr' | 'rtl'
  /** BCP 47 tag for Intl: Pakistan's conventions with Latin digits in both languages. */
  locale: string
  t: Translate
  setLanguage: (language: Language) => void
  /** The name in the page's language, where the thing has one. */
  pick: (thing: { name: string; name_ur?: string | null }) => string
}

const STORED_AS = 'safecity.language'
const Context = createContext<I18n | null>(null)

export function translate(language: Language, key: WordKey, values?: Values): string {
  // A key may be made from what the server says; a word unknown to this page is shown as it came.
  const phrase = (words[key] as Phrase | undefined)?.[language === 'en' ? 0 : 1] ?? key
  if (values === undefined) return phrase
  return phrase.replace(/\{(\w+)\}/g, (hole, name: string) => {
    const value = values[name]
    return value === undefined ? hole : `\u2068${value}\u2069`
  })
}

function storedLanguage(): Language {
  const asked = new URLSearchParams(window.location.search).get('lang') ?? window.localStorage.getItem(STORED_AS)
  return asked === 'ur' ? 'ur' : 'en'
}

function Speaker({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(storedLanguage)
  const { setDirection } = useDirection()
  const dir = language === 'ur' ? 'rtl' : 'ltr'

  useEffect(() => {
    document.documentElement.lang = language
    setDirection(dir)
    window.localStorage.setItem(STORED_AS, language)
  }, [language, dir, setDirection])

  const t = useCallback<Translate>((key, values) => translate(language, key, values), [language])
  const value = useMemo<I18n>(
    () => ({
      language,
      dir,
      locale: language === 'ur' ? 'ur-PK-u-nu-latn' : 'en-GB',
      t,
      setLanguage,
      pick: (thing) => (language === 'ur' && thing.name_ur ? thing.name_ur : thing.name),
    }),
    [language, dir, t],
  )
  return <Context.Provider value={value}>{children}</Context.Provider>
}

export function I18nProvider({ children }: { children: ReactNode }) {
  return (
    <DirectionProvider initialDirection={storedLanguage() === 'ur' ? 'rtl' : 'ltr'} detectDirection={false}>
      <Speaker>{children}</Speaker>
    </DirectionProvider>
  )
}

export function useI18n(): I18n {
  const value = useContext(Context)
  if (value === null) throw new Error('useI18n needs an I18nProvider above it')
  return value
}
