/** What is chosen on the map, as it stands in the address. */
export const KINDS = ['camera', 'site', 'alert', 'incident', 'unit'] as const
export type ChosenKind = (typeof KINDS)[number]

export interface Thing {
  kind: ChosenKind
  id: string
}

export type Chosen = Thing | null

export function readChosen(params: URLSearchParams): Chosen {
  for (const kind of KINDS) {
    const id = params.get(kind)
    if (id !== null && id !== '') return { kind, id }
  }
  return null
}

export function writeChosen(chosen: Chosen): Record<string, string> {
  return chosen === null ? {} : { [chosen.kind]: chosen.id }
}
