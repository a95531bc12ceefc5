/**
 * Just enough of ISO/IEC 14496-12 (boxes) and 14496-15 (avcC) to know what we append:
 * the codec of an init segment, and of each fragment its decode time, its pictures and
 * whether it starts at a key frame. Nothing here touches the browser.
 */

export interface Box {
  readonly type: string
  /** First byte of the box header, its first payload byte, and the byte after the box. */
  readonly start: number
  readonly body: number
  readonly end: number
}

export interface InitFacts {
  readonly codec: string | null
  readonly timescale: number
}

export interface FragmentFacts {
  /** Decode time of the first sample, in units of the track's timescale. */
  readonly decodeTicks: number
  /** Presentation time of each sample, rising in decode order, in ticks. */
  readonly pictureTicks: readonly number[]
  readonly endTicks: number
  readonly isKey: boolean
}

export type Piece =
  | { readonly kind: 'init'; readonly bytes: Uint8Array; readonly facts: InitFacts }
  | { readonly kind: 'media'; readonly bytes: Uint8Array; readonly fragments: readonly FragmentFacts[] }

const DEFAULT_TIMESCALE = 90_000
/** ISO/IEC 14496-12 8.8.3.1: bit 16 of the sample flags is sample_is_non_sync_sample. */
const NON_SYNC = 0x0001_0000

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0)
}

function u64(data: DataView, at: number): number {
  return data.getUint32(at) * 2 ** 32 + data.getUint32(at + 4)
}

/** The boxes of a stretch, in order; a box that runs over the end is left out (a torn tail). */
export function listBoxes(bytes: Uint8Array, start = 0, end = bytes.length): Box[] {
  const data = view(bytes)
  const found: Box[] = []
  let at = start
  while (at + 8 <= end) {
    let size = data.getUint32(at)
    let header = 8
    if (size === 1 && at + 16 <= end) {
      size = u64(data, at + 8)
      header = 16
    } else if (size === 0) {
      size = end - at
    }
    if (size < header || at + size > end) break
    found.push({ type: fourCc(bytes, at + 4), start: at, body: at + header, end: at + size })
    at += size
  }
  return found
}

export function findBox(bytes: Uint8Array, path: readonly string[], start = 0, end = bytes.length): Box | null {
  let found: Box | null = null
  for (const type of path) {
    const inside: Box[] = found === null ? listBoxes(bytes, start, end) : listBoxes(bytes, found.body, found.end)
    found = inside.find((box) => box.type === type) ?? null
    if (found === null) return null
  }
  return found
}

function hexByte(value: number | undefined): string {
  return (value ?? 0).toString(16).padStart(2, '0').toUpperCase()
}

/** Codec string after RFC 6381 ("avc1." + profile, constraints, level) and timescale of an init segment. */
export function readInit(bytes: Uint8Array): InitFacts {
  const media = findBox(bytes, ['moov', 'trak', 'mdia'])
  if (media === null) return { codec: null, timescale: DEFAULT_TIMESCALE }
  const header = findBox(bytes, ['mdhd'], media.body, media.end)
  let timescale = DEFAULT_TIMESCALE
  if (header !== null) {
    const isLong = bytes[header.body] === 1
    timescale = view(bytes).getUint32(header.body + (isLong ? 20 : 12)) || DEFAULT_TIMESCALE
  }
  return { codec: readCodec(bytes, media), timescale }
}

function readCodec(bytes: Uint8Array, media: Box): string | null {
  const table = findBox(bytes, ['minf', 'stbl', 'stsd'], media.body, media.end)
  if (table === null) return null
  const entry = listBoxes(bytes, table.body + 8, table.end)[0]
  if (entry === undefined) return null
  // A VisualSampleEntry has 78 bytes of fields before its own boxes (14496-12 12.1.3).
  const config = findBox(bytes, ['avcC'], entry.body + 78, entry.end)
  if (config === null) return entry.type
  const at = config.body + 1
  return `${entry.type}.${hexByte(bytes[at])}${hexByte(bytes[at + 1])}${hexByte(bytes[at + 2])}`
}

interface Defaults {
  duration: number
  flags: number
}

function readDefaults(data: DataView, tfhd: Box): Defaults {
  const flags = data.getUint32(tfhd.body) & 0xff_ffff
  let at = tfhd.body + 8
  if (flags & 0x01) at += 8 // base-data-offset
  if (flags & 0x02) at += 4 // sample-description-index
  const found: Defaults = { duration: 0, flags: 0 }
  if (flags & 0x08) {
    found.duration = data.getUint32(at)
    at += 4
  }
  if (flags & 0x10) at += 4 // default-sample-size
  if (flags & 0x20) found.flags = data.getUint32(at)
  return found
}

interface RunResult {
  readonly endTicks: number
  readonly firstFlags: number | null
}

function readRun(data: DataView, run: Box, defaults: Defaults, startTicks: number, into: number[]): RunResult {
  const flags = data.getUint32(run.body) & 0xff_ffff
  const isSigned = data.getUint8(run.body) === 1
  const count = data.getUint32(run.body + 4)
  let at = run.body + 8
  if (flags & 0x001) at += 4 // data-offset
  let firstFlags: number | null = null
  if (flags & 0x004) {
    firstFlags = data.getUint32(at)
    at += 4
  }
  let ticks = startTicks
  for (let index = 0; index < count && at <= run.end; index += 1) {
    let duration = defaults.duration
    if (flags & 0x100) {
      duration = data.getUint32(at)
      at += 4
    }
    if (flags & 0x200) at += 4 // sample-size
    if (flags & 0x400) {
      firstFlags ??= data.getUint32(at)
      at += 4
    }
    let offset = 0
    if (flags & 0x800) {
      offset = isSigned ? data.getInt32(at) : data.getUint32(at)
      at += 4
    }
    into.push(ticks + offset)
    ticks += duration
  }
  return { endTicks: ticks, firstFlags: count > 0 ? (firstFlags ?? defaults.flags) : null }
}

/** What one moof says of its first track; null where the box is not a whole moof. */
export function readFragment(bytes: Uint8Array, moof: Box): FragmentFacts | null {
  const track = findBox(bytes, ['traf'], moof.body, moof.end)
  if (track === null) return null
  const parts = listBoxes(bytes, track.body, track.end)
  const tfdt = parts.find((box) => box.type === 'tfdt')
  const tfhd = parts.find((box) => box.type === 'tfhd')
  if (tfdt === undefined || tfhd === undefined) return null
  const data = view(bytes)
  const decodeTicks = bytes[tfdt.body] === 1 ? u64(data, tfdt.body + 4) : data.getUint32(tfdt.body + 4)
  const defaults = readDefaults(data, tfhd)
  const pictureTicks: number[] = []
  let endTicks = decodeTicks
  let firstFlags: number | null = null
  for (const run of parts.filter((box) => box.type === 'trun')) {
    const result = readRun(data, run, defaults, endTicks, pictureTicks)
    firstFlags ??= result.firstFlags
    endTicks = result.endTicks
  }
  const isKey = firstFlags !== null && (firstFlags & NON_SYNC) === 0
  return { decodeTicks, pictureTicks, endTicks, isKey }
}

/** The facts of the first fragment in a live message (styp, prft and the like may stand before it). */
export function readLiveFragment(bytes: Uint8Array): FragmentFacts | null {
  const moof = listBoxes(bytes).find((box) => box.type === 'moof')
  return moof === undefined ? null : readFragment(bytes, moof)
}

/** A whole answer cut into runs that may be appended in order: each ftyp/moov starts a new init. */
export function splitMedia(bytes: Uint8Array): Piece[] {
  const pieces: Piece[] = []
  let initStart = -1
  let mediaStart = -1
  let mediaEnd = -1
  let fragments: FragmentFacts[] = []
  const flush = (): void => {
    if (mediaStart >= 0) {
      pieces.push({ kind: 'media', bytes: bytes.subarray(mediaStart, mediaEnd), fragments })
    }
    mediaStart = -1
    fragments = []
  }
  for (const box of listBoxes(bytes)) {
    if (box.type === 'ftyp') {
      flush()
      initStart = box.start
    } else if (box.type === 'moov') {
      flush()
      const init = bytes.subarray(initStart >= 0 ? initStart : box.start, box.end)
      pieces.push({ kind: 'init', bytes: init, facts: readInit(init) })
      initStart = -1
    } else if (box.type === 'moof') {
      if (mediaStart < 0) mediaStart = box.start
      const facts = readFragment(bytes, box)
      if (facts !== null) fragments.push(facts)
    } else if (box.type === 'mdat' && mediaStart >= 0) {
      mediaEnd = box.end
    }
  }
  if (mediaEnd > mediaStart) flush()
  return pieces
}
