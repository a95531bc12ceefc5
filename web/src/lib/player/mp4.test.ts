import { describe, expect, it } from 'vitest'
import { listBoxes, readInit, readLiveFragment, splitMedia } from './mp4'
import { box, join, makeFragment, makeInit, u32 } from './mp4Maker'
import { seeded } from './seeded'

const FRAME = 6000
const key = { duration: FRAME, isKey: true }
const delta = { duration: FRAME, isKey: false }

describe('readInit', () => {
  it('gives the codec string of RFC 6381 and the timescale', () => {
    expect(readInit(makeInit())).toEqual({ codec: 'avc1.42E01F', timescale: 90_000 })
    expect(readInit(makeInit([0x64, 0, 0x28], 15_360))).toEqual({ codec: 'avc1.640028', timescale: 15_360 })
  })

  it('survives bytes that are no init segment', () => {
    expect(readInit(new Uint8Array(40)).codec).toBeNull()
  })
})

describe('fragments', () => {
  it('tells the time and whether it starts at a key frame', () => {
    const base = 2 ** 33 + 12_345
    expect(readLiveFragment(makeFragment(base, [key]))).toMatchObject({ decodeTicks: base, endTicks: base + FRAME, isKey: true })
    expect(readLiveFragment(makeFragment(base, [delta, key]))).toMatchObject({ isKey: false, endTicks: base + 2 * FRAME })
  })

  it('adds composition offsets', () => {
    expect(readLiveFragment(makeFragment(100, [{ ...key, offset: 50 }, delta]))?.pictureTicks).toEqual([150, 100 + FRAME])
  })

  it('reads defaults of the track fragment header and first_sample_flags', () => {
    const trun = box('trun', u32(0x0000_0005, 3, 0, 0x0200_0000)) // data-offset, first-sample-flags
    const tfhd = box('tfhd', u32(0x02_0028, 1, FRAME, 0x0101_0000)) // default duration and flags
    const moof = box('moof', box('traf', tfhd, box('tfdt', u32(0, 77)), trun))
    expect(readLiveFragment(moof)).toEqual({ decodeTicks: 77, pictureTicks: [77, 77 + FRAME, 77 + 2 * FRAME], endTicks: 77 + 3 * FRAME, isKey: true })
  })
})

describe('splitMedia', () => {
  it('cuts at each new init and leaves out what is no picture', () => {
    const bytes = join(makeInit(), makeFragment(0, [key, delta]), makeFragment(2 * FRAME, [delta]), makeInit([0x64, 0, 0x28]), box('prft', u32(1, 2)), makeFragment(0, [key]))
    const pieces = splitMedia(bytes)
    expect(pieces.map((piece) => piece.kind)).toEqual(['init', 'media', 'init', 'media'])
    expect(pieces[1]).toMatchObject({ fragments: [{ decodeTicks: 0 }, { decodeTicks: 2 * FRAME }] })
    expect(pieces[2]).toMatchObject({ facts: { codec: 'avc1.640028' } })
    expect(listBoxes(pieces[3]!.bytes).map((one) => one.type)).toEqual(['moof', 'mdat'])
  })

  it('never reads beyond a torn end: what it keeps is whole boxes', () => {
    const random = seeded(9)
    const whole = join(makeInit(), ...Array.from({ length: 6 }, (_, i) => makeFragment(i * FRAME, [i === 0 ? key : delta])))
    for (let run = 0; run < 200; run += 1) {
      const cut = whole.slice(0, Math.floor(random() * whole.length))
      for (const piece of splitMedia(cut)) {
        const boxes = listBoxes(piece.bytes)
        expect(boxes.at(-1)?.end).toBe(piece.bytes.length)
        if (piece.kind === 'media') expect(boxes.at(-1)?.type).toBe('mdat')
      }
    }
  })
})
