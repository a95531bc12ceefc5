/** Cameras that turn. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, bodyOf } from './client'
import type { components } from './schema'

export type Head = components['schemas']['HeadView']
type Asked = components['schemas']['HeadAsk']
type Run = components['schemas']['RunAsk']

/** What its kind needs, and no more. */
export interface HeadOrder {
  order: Asked['order']
  preset?: string
  box?: components['schemas']['BoxAsk']
  zoom?: number
  run?: Partial<Run>
}

function asked({ preset = '', run, ...rest }: HeadOrder): Asked {
  return { ...rest, preset, run: run === undefined ? null : { pan: 0, tilt: 0, zoom: 0, ...run } }
}

const ASK_EVERY_MS = 2_000

export function useHeads() {
  return useQuery({ queryKey: ['heads'], queryFn: ({ signal }) => bodyOf(api.GET('/api/heads', { signal })), staleTime: 300_000 })
}

const path = (camera: string) => ({ params: { path: { camera_id: camera } } })

/** Where it looks, asked while somebody has its controls open. */
export function useHead(camera: string) {
  return useQuery({
    queryKey: ['heads', camera],
    queryFn: ({ signal }) => bodyOf(api.GET('/api/cameras/{camera_id}/head', { ...path(camera), signal })) as Promise<Head>,
    refetchInterval: ASK_EVERY_MS,
  })
}

export function useHeadOrder(camera: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (one: HeadOrder) => bodyOf(api.POST('/api/cameras/{camera_id}/head', { ...path(camera), body: asked(one) })),
    onSettled: () => client.invalidateQueries({ queryKey: ['heads', camera] }),
  })
}

/** So that somebody else can steer at once; nothing to tell anybody where it fails. */
export function letGo(camera: string): void {
  void api.DELETE('/api/cameras/{camera_id}/head', path(camera)).catch(() => undefined)
}
