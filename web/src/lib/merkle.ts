/** RFC 6962 (RFC 9162, 2.1.3.2): the root that a leaf and its audit path lead to. */
import { sha256Hex } from './player/sha256'

const HEX = /^(?:[0-9a-f]{64})$/i

function fromHex(hex: string): Uint8Array {
  if (!HEX.test(hex)) throw new Error('Not a SHA-256 in hexadecimal')
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

/** Hash of an inner node: 0x01, left, right. */
export async function nodeHash(left: string, right: string): Promise<string> {
  const bytes = new Uint8Array(65)
  bytes[0] = 1
  bytes.set(fromHex(left), 1)
  bytes.set(fromHex(right), 33)
  return sha256Hex(bytes)
}

/** Hash of a leaf: 0x00, then its bytes. */
export async function leafHash(entry: Uint8Array): Promise<string> {
  const bytes = new Uint8Array(entry.length + 1)
  bytes.set(entry, 1)
  return sha256Hex(bytes)
}

export interface Inclusion {
  index: number
  size: number
  leafHash: string
  path: readonly string[]
}

/** Null where the path cannot belong to a leaf of that index in a tree of that size. */
export async function rootOf({ index, size, leafHash: leaf, path }: Inclusion): Promise<string | null> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return null
  // Bit shifts would cut indices beyond 2^31, hence division.
  const half = (n: number): number => Math.floor(n / 2)
  let [node, last, hash] = [index, size - 1, leaf.toLowerCase()]
  for (const sibling of path) {
    if (last === 0) return null
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      hash = await nodeHash(hash, sibling)
    }
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 ? hash : null
}
