import { describe, expect, it, vi } from 'vitest'
import { AppendQueue, MAX_QUEUED_TASKS, type BufferPort } from './appendQueue'

/** A SourceBuffer that works when told to, and throws if it is used while it works. */
class FakeBuffer implements BufferPort {
  updating = false
  timestampOffset = 0
  buffered = { length: 0, start: () => 0, end: () => 0 } as TimeRanges
  deeds: string[] = []
  fullAt = -1
  private listeners: (() => void)[] = []

  appendBuffer(data: BufferSource): void {
    this.begin()
    if (this.deeds.length === this.fullAt) {
      this.updating = false
      throw Object.assign(new Error('full'), { name: 'QuotaExceededError' })
    }
    this.deeds.push(`append ${(data as Uint8Array)[0]} @${this.timestampOffset}`)
  }
  remove(start: number, end: number): void {
    this.begin()
    this.deeds.push(`remove ${start}-${end}`)
    this.fullAt = -1
  }
  changeType(type: string): void {
    if (this.updating) throw new Error('busy')
    this.deeds.push(`type ${type}`)
  }
  addEventListener(type: string, listener: () => void): void {
    if (type === 'updateend') this.listeners.push(listener)
  }
  finish(): void {
    this.updating = false
    for (const listener of this.listeners) listener()
  }
  private begin(): void {
    if (this.updating) throw new Error('used while updating')
    this.updating = true
  }
}

const bytes = (value: number, length = 1) => new Uint8Array(length).fill(value)
const hooks = () => ({ onIdle: vi.fn(), onFull: vi.fn(() => ({ startS: 0, endS: 5 })), onError: vi.fn() })

describe('AppendQueue', () => {
  it('does one thing at a time, in order, and tells when it is done', () => {
    const buffer = new FakeBuffer()
    const told = hooks()
    const queue = new AppendQueue(told)
    queue.push({ kind: 'append', bytes: bytes(1) }) // before there is a buffer
    queue.attach(buffer)
    queue.push({ kind: 'append', bytes: bytes(2), offsetS: 7 })
    queue.push({ kind: 'type', mime: 'x' })
    queue.push({ kind: 'remove', startS: 0, endS: 1 })
    expect(buffer.deeds).toEqual(['append 1 @0'])
    buffer.finish()
    expect(buffer.deeds).toEqual(['append 1 @0', 'append 2 @7'])
    buffer.finish()
    expect(buffer.deeds.slice(2)).toEqual(['type x', 'remove 0-1'])
    expect(told.onIdle).not.toHaveBeenCalled()
    buffer.finish()
    expect(told.onIdle).toHaveBeenCalledOnce()
  })

  it('takes no more than its limit', () => {
    const queue = new AppendQueue(hooks())
    for (let i = 0; i < MAX_QUEUED_TASKS; i += 1) expect(queue.push({ kind: 'append', bytes: bytes(1) })).toBe(true)
    expect(queue.push({ kind: 'append', bytes: bytes(1) })).toBe(false)
    queue.clear()
    expect(queue.push({ kind: 'append', bytes: bytes(1, 60 * 1024 * 1024) })).toBe(false)
    expect(queue.size).toBe(0)
  })

  it('makes room and tries again where the browser is full', () => {
    const buffer = new FakeBuffer()
    buffer.fullAt = 0
    const told = hooks()
    const queue = new AppendQueue(told)
    queue.attach(buffer)
    queue.push({ kind: 'append', bytes: bytes(3) })
    expect(buffer.deeds).toEqual(['remove 0-5'])
    buffer.finish()
    expect(buffer.deeds).toEqual(['remove 0-5', 'append 3 @0'])
    expect(told.onError).not.toHaveBeenCalled()
  })

  it('gives up with an error where no room can be made', () => {
    const buffer = new FakeBuffer()
    buffer.fullAt = 0
    const told = { ...hooks(), onFull: () => null }
    const queue = new AppendQueue(told)
    queue.attach(buffer)
    queue.push({ kind: 'append', bytes: bytes(3) })
    expect(told.onError).toHaveBeenCalledOnce()
  })
})
