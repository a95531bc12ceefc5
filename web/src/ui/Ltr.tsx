import type { ReactNode } from 'react'

/** Digits, plates, times, ids and hashes: left to right in any sentence, figures of equal width. */
export function Ltr({ children, title }: { children: ReactNode; title?: string | undefined }) {
  return (
    <bdi className="sc-ltr" dir="ltr" title={title}>
      {children}
    </bdi>
  )
}
