/** A phrase in both languages, English first; `{name}` marks a value to fill in. */
export type Phrase = readonly [en: string, ur: string]

/** Names of the phrases stay literal types, so that `t('no.such.phrase')` does not compile. */
export function phrases<const T extends Record<string, Phrase>>(words: T): T {
  return words
}
