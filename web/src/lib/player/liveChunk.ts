/** What a decoder of single pictures (WebCodecs) takes from our boxes: its description, and the one picture of a live fragment. */
import { findBox, listBoxes, readLiveFragment } from './mp4'

export interface LiveChunk {
  readonly isKey: boolean
  /** When the picture is shown, in microseconds of media time. */
  readonly shownUs: number
  readonly data: Uint8Array
}

const US_PER_TICK = 100 / 9 // 90 kHz

/** The avcC record of an init segment (ISO/IEC 14496-15); null where it holds none. */
export function readDescription(init: Uint8Array): Uint8Array | null {
  const table = findBox(init, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'])
  if (table === null) return null
  const entry = listBoxes(init, table.body + 8, table.end)[0]
  const record = entry === undefined ? null : findBox(init, ['avcC'], entry.body + 78, entry.end)
  return record === null ? null : init.slice(record.body, record.end)
}

/** The picture of a live fragment, which holds one; null where the message is torn. */
export function readChunk(fragment: Uint8Array): LiveChunk | null {
  const facts = readLiveFragment(fragment)
  const data = listBoxes(fragment).find((box) => box.type === 'mdat')
  const [ticks] = facts?.pictureTicks ?? []
  if (facts === null || data === undefined || ticks === undefined) return null
  return { isKey: facts.isKey, shownUs: Math.round(ticks * US_PER_TICK), data: fragment.subarray(data.body, data.end) }
}
