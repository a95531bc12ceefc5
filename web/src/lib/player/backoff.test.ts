import { expect, it } from 'vitest'
import { BUSY_WAIT_MS, FIRST_WAIT_MS, MAX_WAIT_MS, retryWaitMs } from './backoff'

it('doubles up to a limit, spread over half of each step', () => {
  expect(retryWaitMs(1, 0)).toBe(FIRST_WAIT_MS / 2)
  expect(retryWaitMs(1, 0.999999)).toBe(FIRST_WAIT_MS)
  expect(retryWaitMs(3, 0)).toBe(FIRST_WAIT_MS * 2)
  for (let attempt = 1; attempt < 200; attempt += 1) expect(retryWaitMs(attempt, 0.999)).toBeLessThanOrEqual(MAX_WAIT_MS)
  expect(retryWaitMs(1, 0, true)).toBe(BUSY_WAIT_MS / 2)
})
