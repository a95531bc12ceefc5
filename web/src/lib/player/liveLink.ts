/** The wire of one live stream: a WebSocket's messages as typed calls. It decides nothing. */
import type { StreamName } from './liveModel'

export interface LinkHandlers {
  readonly onOpen: () => void
  /** The stream that is really sent: the main one where a camera has no other; null from a gateway that does not say. */
  readonly onInit: (codec: string, sent: StreamName | null) => void
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly onState: (state: 'live' | 'stalled' | 'offline', since: number | null) => void
  readonly onClock: (mediaTicks: number, capturedAt: number) => void
  readonly onClose: (code: number, reason: string) => void
}

/** Address of a camera's live stream on the gateway. */
export function liveAddress(gateway: string, camera: string, stream: StreamName): string {
  const base = gateway.replace(/^http/, 'ws').replace(/\/$/, '')
  return `${base}/media/live/${encodeURIComponent(camera)}?stream=${stream}&rendition=clear`
}

function instant(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? null : at
}

function onText(text: string, handlers: LinkHandlers): void {
  let message: Record<string, unknown>
  try {
    message = JSON.parse(text) as Record<string, unknown>
  } catch {
    return // not ours: a message we can't read changes nothing, silence will show as a stall
  }
  const { type, state, stream } = message
  if (type === 'init' && typeof message.codec === 'string') handlers.onInit(message.codec, stream === 'sub' || stream === 'main' ? stream : null)
  if (type === 'state' && (state === 'live' || state === 'stalled' || state === 'offline')) {
    handlers.onState(state, instant(message.since))
  }
  const captured = instant(message.captured_at)
  if (type === 'clock' && typeof message.media_ticks === 'number' && captured !== null) {
    handlers.onClock(message.media_ticks, captured)
  }
}

/** Dials; returns a function that hangs up without a further call to the handlers. */
export function openLink(address: string, handlers: LinkHandlers): () => void {
  const socket = new WebSocket(address)
  socket.binaryType = 'arraybuffer'
  socket.onopen = handlers.onOpen
  socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
    if (typeof event.data === 'string') onText(event.data, handlers)
    else handlers.onBytes(new Uint8Array(event.data))
  }
  socket.onclose = (event) => handlers.onClose(event.code, event.reason)
  return () => {
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}
