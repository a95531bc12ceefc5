import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { seeded } from './seeded'
import { sha256Hex, sha256Plain } from './sha256'

it('is the SHA-256 of the standard, at every length around a block, by both ways', async () => {
  const random = seeded(2)
  for (const length of [0, 1, 3, 54, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 70_001]) {
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256))
    const wanted = createHash('sha256').update(bytes).digest('hex')
    expect(sha256Plain(bytes)).toBe(wanted)
    expect(await sha256Hex(bytes)).toBe(wanted)
  }
})
