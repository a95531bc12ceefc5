import { phrases } from '../define'

/** The queue, alerts and incidents (rooms/incidents). */
export const incidents = phrases({
  'queue.title': ['Queue', 'الرٹس'],
})
