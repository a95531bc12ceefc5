/** The demo's door and its faults; a city that is no demo does not serve them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, bodyOf } from './client'
import { keys } from './queries'
import type { DemoFault, DemoFaultDone, DemoRole } from './wire'

/** The roles at the door; asked for only where the city says it is a demo. */
export function useDemoCards(isDemo: boolean) {
  return useQuery({
    queryKey: ['demo', 'cards'],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/demo/cards', { signal })),
    staleTime: Infinity,
    enabled: isDemo,
  })
}

/** Signs in by a card and, where the role works in shifts, goes on duty at once, so that pictures open. */
async function enter(role: DemoRole) {
  const session = await bodyOf(api.POST('/api/demo/session', { body: { role } }))
  if (session === undefined || session.shift !== null || !session.acts.includes('start_shift')) return session
  return bodyOf(api.POST('/api/shift'))
}

export function useDemoEnter() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: enter,
    onSuccess: (session) => {
      client.removeQueries({ predicate: ({ queryKey: [first] }) => first !== 'session' && first !== 'config' && first !== 'demo' })
      client.setQueryData(keys.session, session)
    },
  })
}

/** Breaks or mends something on purpose. */
export function useDemoFault() {
  return useMutation({ mutationFn: (body: DemoFault) => bodyOf(api.POST('/api/demo/faults', { body })) as Promise<DemoFaultDone> })
}
