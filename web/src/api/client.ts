/**
 * The one way to the server: JSON over fetch with the session's cookie, refusals as `ApiError` with the server's
 * own sentence (RFC 9457 problem+json).
 */
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

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  signal?: AbortSignal
}

/** `path` is "/api/..." or a full address on the gateway. Raises ApiError or LinkError. */
export async function call<T>(path: string, { method = 'GET', body, signal }: Call = {}): Promise<T> {
  const late = AbortSignal.timeout(ANSWER_WITHIN_MS)
  const init: RequestInit = {
    method,
    credentials: 'include',
    headers: body === undefined ? { accept: 'application/json' } : { accept: 'application/json', 'content-type': 'application/json' },
    signal: signal === undefined ? late : AbortSignal.any([signal, late]),
  }
  if (body !== undefined) init.body = JSON.stringify(body)
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new LinkError(error)
  }
  if (!response.ok) throw new ApiError(response.status, await problemOf(response))
  return (response.status === 204 ? undefined : await response.json()) as T
}
