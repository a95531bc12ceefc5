import { describe, expect, it } from 'vitest'
import { translate } from './i18n'
import { words, type WordKey } from './words'

const holes = (phrase: string): string[] => [...phrase.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort()

const ARABIC = /[\u0600-\u06ff]/
/** The button that leads to the other language speaks that language. */
const SAYS_IT_IN_THE_OTHER: readonly string[] = ['shell.language']

describe('words', () => {
  const entries = Object.entries(words)

  it.each(entries)('%s stands in both languages', (_, phrase) => {
    expect(phrase).toHaveLength(2)
    for (const text of phrase) {
      expect(text.trim()).not.toBe('')
      expect(text).toBe(text.trim())
    }
  })

  it.each(entries)('%s has the same holes in both', (_, [en, ur]) => {
    expect(holes(ur)).toEqual(holes(en))
  })

  it.each(entries.filter(([key]) => !SAYS_IT_IN_THE_OTHER.includes(key)))('%s is Urdu in Urdu and not in English', (_, [en, ur]) => {
    expect(ur).toMatch(ARABIC)
    expect(en).not.toMatch(ARABIC)
  })

  it('uses the letters of Urdu, not the look-alikes of Arabic', () => {
    for (const [key, [, ur]] of entries) expect(ur, key).not.toMatch(/[\u0643\u064a\u0647\u0649]/)
  })

  it('has no phrase in two files, where one would hide the other', () => {
    const files = import.meta.glob<Record<string, object>>('./words/*.ts', { eager: true })
    const parts = Object.values(files).flatMap((file) => Object.values(file))
    expect(entries).toHaveLength(parts.reduce((sum, part) => sum + Object.keys(part).length, 0))
  })
})

describe('translate', () => {
  it('fills holes, each value kept apart from the direction around it', () => {
    expect(translate('en', 'log.size', { count: 12 })).toBe('\u206812\u2069 entries')
    expect(translate('ur', 'log.size', { count: 12 })).toContain('\u206812\u2069')
  })

  it('shows a hole that nobody filled', () => {
    expect(translate('en', 'log.size', {})).toContain('{count}')
  })

  it('does not fill values into values', () => {
    expect(translate('en', 'health.disk.of', { used: '{budget}', budget: '5 GB' })).toBe('\u2068{budget}\u2069 of \u20685 GB\u2069')
  })

  it('knows a sentence for every kind of error', () => {
    const kinds = ['invalid', 'denied', 'not_found', 'conflict', 'exhausted', 'unavailable', 'data_loss', 'internal']
    for (const kind of kinds) for (const end of ['', '.do']) expect(translate('en', `error.${kind}${end}` as WordKey)).toBeTruthy()
  })
})
