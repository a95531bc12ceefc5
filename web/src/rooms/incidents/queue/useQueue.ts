/** The queue of this page: its filter and the chosen alert in the address, and what follows when that one goes. */
import { useEffect, useMemo, useRef } from 'react'
import { useSearchParams } from 'react-router'
import { useAlert, useOpenAlerts } from '../../../api/response'
import type { Alert } from '../../../api/wire'
import { afterGone, isMine, listFor, moveIn, type Filter, type Me } from './model'

export interface Queue {
  /** Undefined before the live state is there. */
  open: readonly Alert[] | undefined
  shown: readonly Alert[]
  filter: Filter
  selected: string | null
  /** The chosen alert as it is now, decided or not; null while it is fetched or where there is none. */
  alert: Alert | null
  error: unknown
  retry: () => void
  setFilter: (filter: Filter) => void
  select: (id: string | null) => void
  move: (by: 1 | -1) => void
  /** Leaves one that was decided, for the one that takes its place. */
  leave: (id: string) => void
}

const NONE: readonly Alert[] = []

/** `isAlways`: something is chosen as long as there is something. */
export function useQueue(me: Me, isAlways: boolean): Queue {
  const [params, setParams] = useSearchParams()
  const open = useOpenAlerts()
  const filter: Filter = params.get('who') === 'mine' ? 'mine' : 'all'
  const selected = params.get('alert')
  const shown = useMemo(() => listFor(open ?? NONE, filter, me), [open, filter, me])
  const ids = shown.map((alert) => alert.id)
  const lastWith = useRef<readonly string[]>(ids)
  if (selected !== null && ids.includes(selected)) lastWith.current = ids

  const fetched = useAlert(selected)
  const live = open?.find((alert) => alert.id === selected)
  const stored = fetched.data?.alert
  const alert = live !== undefined && (stored === undefined || live.version >= stored.version) ? live : (stored ?? null)

  const write = (name: 'alert' | 'who', value: string | null, replace = true) =>
    setParams((now) => {
      const next = new URLSearchParams(now)
      if (value === null) next.delete(name)
      else next.set(name, value)
      return next
    }, { replace })
  const first = (shown.find((one) => isMine(one, me)) ?? shown[0])?.id ?? null
  useEffect(() => {
    // Chosen for good: an alert that arrives above it must not slip under the person's hand.
    if (isAlways && selected === null && first !== null) write('alert', first)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `write` is made anew each time
  }, [isAlways, selected, first])

  return {
    open, shown, filter, selected, alert,
    error: alert === null && fetched.isError ? fetched.error : null,
    retry: () => void fetched.refetch(),
    setFilter: (next) => write('who', next === 'all' ? null : next),
    // On a phone the list and the alert are two places: "back" of the phone leads from one to the other.
    select: (id) => write('alert', id, isAlways || id === null),
    move: (by) => {
      const next = selected !== null && !ids.includes(selected) ? afterGone(lastWith.current, ids, selected) : moveIn(ids, selected, by)
      if (next !== null) write('alert', next)
    },
    leave: (id) => write('alert', afterGone(lastWith.current, ids.filter((one) => one !== id), id)),
  }
}
