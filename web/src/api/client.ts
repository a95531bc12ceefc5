/**
 * The one way to the servers: JSON over fetch with the session's cookie; refusals as `ApiError` with the server's own
 * sentence (RFC 9457 problem+json), silence as `LinkError`. `api` knows the paths of the web API by its OpenAPI;
 * `call` is for the gateway, which is an origin of its own.
 */
import createClient from 'openapi-fetch'
import type { paths } from './schema'
import type { Problem } from './wire'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`)
    this.name = 'ApiError'
  }
}

/** The server could not be reached at all. */
export class LinkError extends Error {
  constructor(cause: unknown) {
    super('The server does not answer', { cause })
    this.name = 'LinkError'
  }
}

/** No answer within this time counts as no connection. */
const ANSWER_WITHIN_MS = 20_000

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem
  } catch {
    return { status: response.status, title: response.statusText }
  }
}

/** Raises ApiError or LinkError; an abort by the caller is passed on as it is. */
async function send(request: Request, withinMs = ANSWER_WITHIN_MS): Promise<Response> {
  let response: Response
  try {
    response = await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(withinMs)]) })
  } catch (error) {
    if (request.signal.aborted) throw error
    throw new LinkError(error)
  }
  if (!response.ok) throw new ApiError(response.status, await problemOf(response))
  return response
}

export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'include', fetch: (request) => send(request) })

/** The answer's body; `send` has already raised for everything that is none. */
export async function bodyOf<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  signal?: AbortSignal
  /** No answer within this time counts as no connection. */
  withinMs?: number
}

/** `path` is "/api/..." or a full address on the gateway. */
export async function call<T>(path: string, { method = 'GET', body, signal, withinMs = ANSWER_WITHIN_MS }: Call = {}): Promise<T> {
  const headers = new Headers({ accept: 'application/json' })
  const init: RequestInit = { method, credentials: 'include', headers }
  if (body !== undefined) {
    headers.set('content-type', 'application/json')
    init.body = JSON.stringify(body)
  }
  if (signal !== undefined) init.signal = signal
  const response = await send(new Request(new URL(path, window.location.origin), init), withinMs)
  return (response.status === 204 ? undefined : await response.json()) as T
}
