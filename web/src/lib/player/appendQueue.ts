/**
 * One SourceBuffer does one thing at a time: this queue feeds it in order and never grows without limit.
 * It knows nothing of live or playback; what to drop when it is full is the owner's decision.
 */

/** The part of a SourceBuffer that the queue needs (tests give it a fake). */
export interface BufferPort {
  readonly updating: boolean
  readonly buffered: TimeRanges
  timestampOffset: number
  appendBuffer(data: BufferSource): void
  remove(start: number, end: number): void
  changeType(type: string): void
  addEventListener(type: 'updateend' | 'error', listener: () => void): void
}

export type BufferTask =
  | { readonly kind: 'append'; readonly bytes: Uint8Array<ArrayBuffer>; readonly offsetS?: number }
  | { readonly kind: 'remove'; readonly startS: number; readonly endS: number }
  | { readonly kind: 'type'; readonly mime: string }
  /** Runs between two other tasks, when the buffer is still. */
  | { readonly kind: 'then'; readonly run: () => void }

export interface QueueHooks {
  /** All tasks done, the buffer is still. */
  readonly onIdle: () => void
  /** The browser has no room: say what may go (seconds), or null to give up. */
  readonly onFull: () => { startS: number; endS: number } | null
  readonly onError: (error: unknown) => void
}

export const MAX_QUEUED_TASKS = 400
export const MAX_QUEUED_BYTES = 48 * 1024 * 1024
const MAX_FULL_RETRIES = 2

const isQuota = (error: unknown): boolean => error instanceof Error && error.name === 'QuotaExceededError'

export class AppendQueue {
  private buffer: BufferPort | null = null
  private tasks: BufferTask[] = []
  private bytes = 0
  private fullRetries = 0
  private isRunning = false

  constructor(private readonly hooks: QueueHooks) {}

  attach(buffer: BufferPort): void {
    this.buffer = buffer
    buffer.addEventListener('updateend', () => {
      if (this.buffer === buffer) this.run()
    })
    buffer.addEventListener('error', () => {
      if (this.buffer === buffer) this.hooks.onError(new Error('The browser could not read this video'))
    })
    this.run()
  }

  /** Lets go of the buffer and of everything queued for it. */
  detach(): void {
    this.buffer = null
    this.clear()
  }

  get size(): number {
    return this.tasks.length
  }

  get isIdle(): boolean {
    return this.tasks.length === 0 && this.buffer !== null && !this.buffer.updating
  }

  /** False where the queue is full; the task was not taken. */
  push(task: BufferTask): boolean {
    const bytes = task.kind === 'append' ? task.bytes.byteLength : 0
    if (this.tasks.length >= MAX_QUEUED_TASKS || this.bytes + bytes > MAX_QUEUED_BYTES) return false
    this.tasks.push(task)
    this.bytes += bytes
    this.run()
    return true
  }

  /** Forgets what has not been started. */
  clear(): void {
    this.tasks = []
    this.bytes = 0
  }

  private run(): void {
    if (this.isRunning) return
    this.isRunning = true
    while (this.buffer !== null && !this.buffer.updating) {
      const task = this.tasks.shift()
      if (task === undefined) break
      if (task.kind === 'append') this.bytes -= task.bytes.byteLength
      if (!this.start(this.buffer, task)) break
    }
    this.isRunning = false
    if (this.isIdle) this.hooks.onIdle()
  }

  private start(buffer: BufferPort, task: BufferTask): boolean {
    try {
      this.apply(buffer, task)
      if (task.kind === 'append') this.fullRetries = 0
      return true
    } catch (error) {
      if (isQuota(error) && this.makeRoom(buffer, task)) return true
      this.clear()
      this.hooks.onError(error)
      return false
    }
  }

  private apply(buffer: BufferPort, task: BufferTask): void {
    switch (task.kind) {
      case 'append':
        if (task.offsetS !== undefined && buffer.timestampOffset !== task.offsetS) buffer.timestampOffset = task.offsetS
        buffer.appendBuffer(task.bytes)
        return
      case 'remove':
        buffer.remove(task.startS, task.endS)
        return
      case 'type':
        buffer.changeType(task.mime)
        return
      case 'then':
        task.run()
    }
  }

  private makeRoom(buffer: BufferPort, task: BufferTask): boolean {
    if (this.fullRetries >= MAX_FULL_RETRIES) return false
    const room = this.hooks.onFull()
    if (room === null || room.endS <= room.startS) return false
    this.fullRetries += 1
    this.tasks.unshift(task)
    if (task.kind === 'append') this.bytes += task.bytes.byteLength
    buffer.remove(room.startS, room.endS)
    return true
  }
}
