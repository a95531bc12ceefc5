import { expect, it } from 'vitest'
import { readChunk, readDescription } from './liveChunk'
import { makeFragment, makeInit } from './mp4Maker'

it('finds the decoder description that the init segment carries', () => {
  expect([...(readDescription(makeInit([0x64, 0, 0x28])) ?? [])]).toEqual([1, 0x64, 0, 0x28, 0xff])
  expect(readDescription(makeFragment(0, []))).toBeNull()
})

it('takes the picture out of a live fragment, with the instant at which it is shown', () => {
  const key = readChunk(makeFragment(90_000, [{ duration: 7200, isKey: true, offset: 9000 }]))
  expect(key).toMatchObject({ isKey: true, shownUs: 1_100_000 })
  expect(key?.data).toHaveLength(4)
  expect(readChunk(makeFragment(180_000, [{ duration: 7200, isKey: false }]))).toMatchObject({ isKey: false, shownUs: 2_000_000 })
})

it('takes nothing out of a torn message', () => {
  const whole = makeFragment(0, [{ duration: 7200, isKey: true }])
  expect(readChunk(whole.subarray(0, whole.length - 2))).toBeNull()
})
