import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { leafHash, nodeHash, rootOf } from './merkle'

const sha = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const entries = (n: number): Buffer[] => Array.from({ length: n }, (_, i) => sha(Buffer.of(0), Buffer.from(`entry ${i}`)))

const splitOf = (n: number): number => 2 ** Math.floor(Math.log2(n - 1))

/** RFC 6962, 2.1, by its definition. */
function treeHash(leaves: Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer
  const k = splitOf(leaves.length)
  return sha(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

/** RFC 6962, 2.1.1. */
function auditPath(m: number, leaves: Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = splitOf(leaves.length)
  return m < k ? [...auditPath(m, leaves.slice(0, k)), treeHash(leaves.slice(k))] : [...auditPath(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))]
}

const hex = (hash: Buffer): string => hash.toString('hex')

describe('rootOf', () => {
  it('reaches the root from every leaf of trees of many sizes', async () => {
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 64, 65]) {
      const leaves = entries(size)
      const root = hex(treeHash(leaves))
      for (let index = 0; index < size; index += 1) {
        const path = auditPath(index, leaves).map(hex)
        expect(await rootOf({ index, size, leafHash: hex(leaves[index] as Buffer), path }), `${index} of ${size}`).toBe(root)
      }
    }
  })

  it('does not reach it from another leaf, index, size or path', async () => {
    const leaves = entries(11)
    const root = hex(treeHash(leaves))
    const path = auditPath(5, leaves).map(hex)
    const right = { index: 5, size: 11, leafHash: hex(leaves[5] as Buffer), path }
    expect(await rootOf(right)).toBe(root)
    expect(await rootOf({ ...right, leafHash: hex(leaves[6] as Buffer) })).not.toBe(root)
    expect(await rootOf({ ...right, index: 4 })).not.toBe(root)
    expect(await rootOf({ ...right, path: path.slice(1) })).not.toBe(root)
    expect(await rootOf({ ...right, path: [...path, path[0] as string] })).not.toBe(root)
    expect(await rootOf({ ...right, path: [...path].reverse() })).not.toBe(root)
  })

  it('refuses an index outside the tree and what is no hash', async () => {
    expect(await rootOf({ index: 3, size: 3, leafHash: 'a'.repeat(64), path: [] })).toBeNull()
    expect(await rootOf({ index: -1, size: 3, leafHash: 'a'.repeat(64), path: [] })).toBeNull()
    await expect(nodeHash('zz', 'a'.repeat(64))).rejects.toThrow()
  })
})

describe('leafHash', () => {
  it('is SHA-256 over 0x00 and the bytes; of nothing, as RFC 6962 has it', async () => {
    expect(await leafHash(new Uint8Array())).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  })
})
