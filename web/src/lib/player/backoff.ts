/** Waiting before the next try: doubling, with a limit, and jitter so that a wall of tiles does not knock at once. */

export const FIRST_WAIT_MS = 500
export const MAX_WAIT_MS = 15_000
/** A gateway that says "too many viewers" is left alone for longer. */
export const BUSY_WAIT_MS = 20_000

/** Wait before try number `attempt` (1 = first retry); `random` in [0, 1) spreads it over 50-100 % of the step. */
export function retryWaitMs(attempt: number, random: number, isBusy = false): number {
  const step = isBusy ? BUSY_WAIT_MS : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, attempt - 1))
  return Math.round(step * (0.5 + random / 2))
}
