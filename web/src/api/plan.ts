/** What a city of some size needs, reckoned by the server. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api, bodyOf } from './client'
import type { CityPlan } from './wire'

export interface PlanAsk {
  cameras: number
  mbit: number
  days: number
}

export const FIRST_PLAN: PlanAsk = { cameras: 1400, mbit: 4, days: 30 }

export function usePlan(ask: PlanAsk) {
  return useQuery({
    queryKey: ['plan', ask],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/plan', { params: { query: ask }, signal })) as Promise<CityPlan>,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  })
}
