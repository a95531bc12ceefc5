/**
 * Whether an entry is in the log, worked out here: the server's word alone proves nothing.
 *
 * Three steps: the content is what the entry commits to (SHA-256 of salt and RFC 8785 JSON), the entry is what the
 * leaf's hash says (RFC 6962, 0x00), and the leaf lies under the root of the log (audit path).
 */
import type { InclusionProof, Leaf } from '../../api/wire'
import { canonicalJson, type Json } from '../../lib/canonicalJson'
import { leafHash, rootOf } from '../../lib/merkle'
import { sha256Hex } from '../../lib/player/sha256'

export type StepName = 'content' | 'entry' | 'path'
/** `erased`: the content was removed by law; what it was can no longer be checked, that it was still can. */
export type StepResult = 'proven' | 'broken' | 'erased'

export interface Verification {
  steps: Record<StepName, StepResult>
  reached: string | null
  isProven: boolean
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function commitmentOf(entry: string): string | null {
  try {
    const parsed = JSON.parse(entry) as { commit?: unknown }
    return typeof parsed.commit === 'string' ? parsed.commit.toLowerCase() : null
  } catch {
    return null
  }
}

async function checkContent({ entry, body, salt }: Leaf): Promise<StepResult> {
  if (body === null || salt === null) return 'erased'
  const [before, content] = [fromHex(salt), utf8(canonicalJson(body as Json))]
  const bytes = new Uint8Array(before.length + content.length)
  bytes.set(before)
  bytes.set(content, before.length)
  return (await sha256Hex(bytes)) === commitmentOf(entry) ? 'proven' : 'broken'
}

const result = (isRight: boolean): StepResult => (isRight ? 'proven' : 'broken')

export async function verify(leaf: Leaf, proof: InclusionProof): Promise<Verification> {
  const hash = leaf.hash.toLowerCase()
  const reached = await rootOf({ index: leaf.index, size: proof.size, leafHash: hash, path: proof.path })
  const steps = {
    content: await checkContent(leaf),
    entry: result((await leafHash(utf8(leaf.entry))) === hash),
    path: result(reached !== null && reached === proof.root.toLowerCase()),
  }
  return { steps, reached, isProven: Object.values(steps).every((step) => step !== 'broken') }
}
