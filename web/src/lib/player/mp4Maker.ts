/** Boxes for tests: an init segment and fragments as the gateway sends them, with any bytes for pictures. */

export function box(type: string, ...parts: (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bodies = parts.map((part) => Uint8Array.from(part))
  const size = 8 + bodies.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, size)
  for (let i = 0; i < 4; i += 1) bytes[4 + i] = type.charCodeAt(i)
  let at = 8
  for (const part of bodies) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export function u32(...values: number[]): number[] {
  return values.flatMap((value) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255])
}

export function u64(value: number): number[] {
  return u32(Math.floor(value / 2 ** 32), value >>> 0)
}

export function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export function makeInit(profile: readonly number[] = [0x42, 0xe0, 0x1f], timescale = 90_000): Uint8Array<ArrayBuffer> {
  const avcC = box('avcC', [1, ...profile, 0xff])
  const entry = box('avc1', new Uint8Array(78), avcC)
  const stsd = box('stsd', u32(0, 1), entry)
  const mdia = box('mdia', box('mdhd', u32(0, 0, 0, timescale, 0), [0, 0, 0, 0]), box('minf', box('stbl', stsd)))
  return join(box('ftyp', u32(0, 0)), box('moov', box('mvhd', new Uint8Array(100)), box('trak', mdia)))
}

export interface MadeSample {
  readonly duration: number
  readonly isKey: boolean
  readonly offset?: number
}

/** One moof + mdat with all sample fields in the trun, as our own writer does. */
export function makeFragment(decodeTicks: number, samples: readonly MadeSample[]): Uint8Array<ArrayBuffer> {
  const rows = samples.flatMap(({ duration, isKey, offset }) => u32(duration, 4, isKey ? 0x0200_0000 : 0x0101_0000, offset ?? 0))
  const trun = box('trun', u32(0x0100_0f01, samples.length, 0), rows)
  const traf = box('traf', box('tfhd', u32(0x02_0000, 1)), box('tfdt', u32(0x0100_0000), u64(decodeTicks)), trun)
  return join(box('moof', box('mfhd', u32(0, 1)), traf), box('mdat', new Uint8Array(samples.length * 4)))
}
