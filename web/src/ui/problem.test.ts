import { describe, expect, it } from 'vitest'
import { ApiError, LinkError } from '../api/client'
import { sentenceFor } from './problem'

describe('sentenceFor', () => {
  it('goes by the kind, with the words of the server', () => {
    expect(sentenceFor(new ApiError(403, { kind: 'denied', detail: 'No shift is open.' }))).toEqual({
      title: 'error.denied', remedy: 'error.denied.do', detail: 'No shift is open.',
    })
    expect(sentenceFor(new ApiError(404, { kind: 'NotFound' })).title).toBe('error.not_found')
  })

  it('goes by the status where the kind is missing', () => {
    expect(sentenceFor(new ApiError(503, {})).title).toBe('error.unavailable')
    expect(sentenceFor(new ApiError(418, {})).title).toBe('error.internal')
  })

  it('tells a lost link and an ended session apart from mistakes', () => {
    expect(sentenceFor(new LinkError(new Error('x'))).title).toBe('error.link')
    expect(sentenceFor(new ApiError(401, { kind: 'denied' })).title).toBe('error.signedOut')
    expect(sentenceFor(new TypeError('x')).title).toBe('error.internal')
  })
})
