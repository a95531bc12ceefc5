/** Cases: what incidents close into. Lists and details are fetched, and fetched again when a fact about one arrives. */
import { keepPreviousData, skipToken, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, bodyOf } from './client'
import { refetchAfterConflict } from './response'
import { responseKeys } from './touched'
import type { CaseDetail, CasePage, CaseReferences, CloseCase, NewCase } from './wire'

const PAGE = 50

export type CaseFilter = 'open' | 'closed' | 'all'

/** Newest first, page by page; `search` looks in numbers, FIR numbers, stations and titles. */
export function useCases(search: string, state: CaseFilter) {
  return useInfiniteQuery({
    queryKey: [...responseKeys.cases, search, state],
    queryFn: ({ pageParam, signal }) =>
      bodyOf(api.GET('/api/cases', { params: { query: { search, state, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) } }, signal })) as Promise<CasePage>,
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.before,
    placeholderData: keepPreviousData,
  })
}

export function useCase(id: string | null) {
  return useQuery({
    queryKey: responseKeys.case(id ?? ''),
    queryFn: id === null ? skipToken : ({ signal }) => bodyOf(api.GET('/api/cases/{case_id}', { params: { path: { case_id: id } }, signal })) as Promise<CaseDetail>,
    staleTime: 30_000,
  })
}

/** Closes an incident into a case; the answer is the case. */
export function useOpenCase() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Omit<NewCase, 'note'> & { note?: string }) => bodyOf(api.POST('/api/cases', { body: { note: '', ...body } })) as Promise<CaseDetail>,
    onSuccess: (detail) => {
      client.setQueryData(responseKeys.case(detail.case.id), detail)
      void client.invalidateQueries({ queryKey: responseKeys.cases })
      void client.invalidateQueries({ queryKey: responseKeys.incident(detail.case.incident) })
    },
    onError: (error, { incident }) => refetchAfterConflict(client, error, responseKeys.incident(incident)),
  })
}

function useCaseDeed<T>(id: string, send: (deed: T) => Promise<CaseDetail>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: send,
    onSuccess: (detail) => {
      client.setQueryData(responseKeys.case(id), detail)
      void client.invalidateQueries({ queryKey: responseKeys.cases })
    },
    onError: (error) => refetchAfterConflict(client, error, responseKeys.case(id)),
  })
}

export function useCaseNote(id: string) {
  return useCaseDeed(id, (text: string) =>
    bodyOf(api.POST('/api/cases/{case_id}/notes', { params: { path: { case_id: id } }, body: { text } })) as Promise<CaseDetail>)
}

export function useCaseReferences(id: string) {
  return useCaseDeed(id, (body: CaseReferences) =>
    bodyOf(api.POST('/api/cases/{case_id}/references', { params: { path: { case_id: id } }, body })) as Promise<CaseDetail>)
}

export function useCaseClose(id: string) {
  return useCaseDeed(id, (body: CloseCase) =>
    bodyOf(api.POST('/api/cases/{case_id}/close', { params: { path: { case_id: id } }, body })) as Promise<CaseDetail>)
}

/** Tells the case of an export that the gateway has made for it. */
export function useCaseExported(id: string) {
  return useCaseDeed(id, (exported: string) =>
    bodyOf(api.POST('/api/cases/{case_id}/exports', { params: { path: { case_id: id } }, body: { export: exported } })) as Promise<CaseDetail>)
}
