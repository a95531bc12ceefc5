/**
 * Keyboard commands, in one place, so that `?` can list what works on the page that is open.
 *
 * A chord is a key ("f", " ", "ArrowLeft", "Shift+ArrowLeft") or two in a row ("g m"). Commands do not fire while
 * the person types in a field, nor with Ctrl, Alt or Meta held.
 */
import { createContext, useContext, useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from 'react'

export interface KeyCommand {
  chord: string
  label: string
  run: () => void
  /** Listed under "everywhere" instead of "on this page". */
  global?: boolean
}

/** A second key of a chord must follow within this time. */
const CHORD_WAIT_MS = 1200

export class KeyTable {
  private sets = new Map<object, readonly KeyCommand[]>()
  private listeners = new Set<() => void>()
  private first: { key: string; at: number } | null = null
  commands: readonly KeyCommand[] = []

  register(owner: object, commands: readonly KeyCommand[]): () => void {
    this.sets.set(owner, commands)
    this.changed()
    return () => {
      this.sets.delete(owner)
      this.changed()
    }
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** True where a command took the key. */
  press(key: string, now: number): boolean {
    const before = this.first !== null && now - this.first.at <= CHORD_WAIT_MS ? this.first.key : null
    this.first = null
    const asChord = before === null ? undefined : this.find(`${before} ${key}`)
    const found = asChord ?? this.find(key)
    if (found !== undefined) {
      found.run()
      return true
    }
    if (this.commands.some((command) => command.chord.startsWith(`${key} `))) this.first = { key, at: now }
    return false
  }

  private find(chord: string): KeyCommand | undefined {
    return this.commands.findLast((command) => command.chord === chord)
  }

  private changed(): void {
    this.commands = [...this.sets.values()].flat()
    for (const listener of this.listeners) listener()
  }
}

const Context = createContext<KeyTable | null>(null)

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [role=combobox]'))

/** Space and Enter belong to the control that has the focus. */
const isControl = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button, a, summary, [role=button], [role=menuitem], [role=slider]') !== null

/** A dialog is open, and the key was not pressed in it: its focus has not moved there yet. */
const isBehindDialog = (target: EventTarget | null): boolean => {
  const dialog = document.querySelector('[role="dialog"][aria-modal="true"]')
  return dialog !== null && !(target instanceof Node && dialog.contains(target))
}

export function nameOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  return event.shiftKey && event.key.length > 1 ? `Shift+${key}` : key
}

export function KeyProvider({ children }: { children: ReactNode }) {
  const table = useMemo(() => new KeyTable(), [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return
      if (isBehindDialog(event.target)) return
      if ((event.key === ' ' || event.key === 'Enter') && isControl(event.target)) return
      if (table.press(nameOf(event), event.timeStamp)) event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [table])
  return <Context.Provider value={table}>{children}</Context.Provider>
}

function useTable(): KeyTable {
  const table = useContext(Context)
  if (table === null) throw new Error('useKeys needs a KeyProvider above it')
  return table
}

/** Registers commands while the calling component is mounted; the newest `run` is always the one called. */
export function useKeys(commands: readonly KeyCommand[]): void {
  const table = useTable()
  const latest = useRef(commands)
  latest.current = commands
  const shape = commands.map((command) => `${command.chord}\n${command.label}\n${command.global ?? false}`).join('\n')
  useEffect(() => {
    const owner = {}
    const stable = latest.current.map((command, index) => ({ ...command, run: () => latest.current[index]?.run() }))
    return table.register(owner, stable)
  }, [table, shape])
}

export function useKeyCommands(): readonly KeyCommand[] {
  const table = useTable()
  return useSyncExternalStore(table.subscribe, () => table.commands)
}
