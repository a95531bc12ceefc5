import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { InclusionProof, Leaf } from '../../api/wire'
import { verify } from './verify'

const sha = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

/** A log of two leaves, written as safecity/oversight/log.py writes it; keys of the body in another order. */
function twoLeaves(): { leaf: Leaf; proof: InclusionProof } {
  const salt = Buffer.alloc(32, 7)
  const text = '{"act":"view_live","actor":{"name":"زرمینہ","role":"operator"},"resource":{"id":"cam_1","kind":"camera"}}'
  const commit = sha(salt, Buffer.from(text)).toString('hex')
  const entry = `{"commit":"${commit}","t":"2026-11-24T09:05:09.000Z","type":"view_live","v":1}`
  const hash = sha(Buffer.of(0), Buffer.from(entry))
  const sibling = sha(Buffer.of(0), Buffer.from('another'))
  const root = sha(Buffer.of(1), hash, sibling).toString('hex')
  const body = { resource: { kind: 'camera', id: 'cam_1' }, actor: { role: 'operator', name: 'زرمینہ' }, act: 'view_live' }
  return {
    leaf: { index: 0, time: '2026-11-24T09:05:09.000Z', type: 'view_live', hash: hash.toString('hex'), entry, body, salt: salt.toString('hex') },
    proof: { index: 0, size: 2, root, leaf_hash: hash.toString('hex'), path: [sibling.toString('hex')] },
  }
}

describe('verify', () => {
  it('proves content, entry and path', async () => {
    const { leaf, proof } = twoLeaves()
    expect(await verify(leaf, proof)).toEqual({ steps: { content: 'proven', entry: 'proven', path: 'proven' }, reached: proof.root, isProven: true })
  })

  it('sees a changed content, a changed entry, a changed root', async () => {
    const { leaf, proof } = twoLeaves()
    const other = { ...leaf, body: { ...leaf.body, act: 'export_clip' } }
    expect(await verify(other, proof)).toMatchObject({ steps: { content: 'broken', entry: 'proven', path: 'proven' }, isProven: false })
    const later = { ...leaf, entry: leaf.entry.replace('09:05', '10:05') }
    expect(await verify(later, proof)).toMatchObject({ steps: { content: 'proven', entry: 'broken' }, isProven: false })
    expect(await verify(leaf, { ...proof, root: 'a'.repeat(64) })).toMatchObject({ steps: { path: 'broken' }, isProven: false })
  })

  it('still proves an entry whose content was erased', async () => {
    const { leaf, proof } = twoLeaves()
    expect(await verify({ ...leaf, body: null, salt: null }, proof)).toMatchObject({ steps: { content: 'erased', path: 'proven' }, isProven: true })
  })
})
