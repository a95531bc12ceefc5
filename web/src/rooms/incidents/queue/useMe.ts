import { useMemo } from 'react'
import { useSession } from '../../../api/queries'
import type { Me } from './model'

/** The person signed in, as the queue's rules need them. */
export function useMe(): Me {
  const session = useSession().data
  const [userId, role, mayHandle] = [session?.user_id ?? '', session?.role, session?.acts.includes('handle_alerts') ?? false]
  return useMemo(() => ({ userId, isSupervisor: role === 'supervisor', mayHandle }), [userId, role, mayHandle])
}
