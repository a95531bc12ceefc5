/** The demo's door and its faults; a city that is no demo does not serve them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, bodyOf } from './client'
import { keys } from './queries'
import type { DemoFault, DemoFaultDone, DemoRole, Session } from './wire'

/** The roles at the door; asked for only where the city says it is a demo. */
export function useDemoCards(isDemo: boolean) {
  return useQuery({
    queryKey: ['demo', 'cards'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/demo/cards', { signal })),
    staleTime: Infinity,
    enabled: isDemo,
  })
}

export interface DemoEntry {
  role: DemoRole
  /** The session that ends with it: its person goes off duty, so that nothing is offered to an empty chair. */
  leaves: Session | null
}

/** Signs in by a card and, where the role works in shifts, goes on duty at once, so that pictures open. */
async function enter({ role, leaves }: DemoEntry) {
  if (leaves !== null) {
    if (leaves.shift !== null) await bodyOf(api.DELETE('/api/shift'))
    await bodyOf(api.DELETE('/api/session'))
  }
  const session = (await bodyOf(api.POST('/api/demo/session', { body: { role } }))) as Session
  if (session.shift !== null || !session.acts.includes('start_shift')) return session
  return (await bodyOf(api.POST('/api/shift'))) as Session
}

export function useDemoEnter() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: enter,
    onSuccess: (session) => {
      client.removeQueries({ predicate: ({ queryKey: [first] }) => first !== 'session' && first !== 'config' && first !== 'demo' })
      client.setQueryData(keys.session, session)
    },
    // The old session may have ended without a new one: the door opens.
    onError: () => void client.invalidateQueries({ queryKey: keys.session }),
  })
}

/** Breaks or mends something on purpose. */
export function useDemoFault() {
  return useMutation({ mutationFn: (body: DemoFault) => bodyOf(api.POST('/api/demo/faults', { body })) as Promise<DemoFaultDone> })
}
