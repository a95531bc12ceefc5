import type { Camera, Site } from '../../../api/wire'

export interface CameraEntry {
  readonly camera: Camera
  readonly site: Site | null
}

const fold = (text: string): string => text.normalize('NFKC').toLocaleLowerCase('en')

/** Cameras with their sites, for a search by the camera's or the site's name, district, code or id, in either language. */
export function searchCameras(entries: readonly CameraEntry[], query: string): CameraEntry[] {
  const words = fold(query).split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return [...entries]
  return entries.filter(({ camera, site }) => {
    const text = fold([camera.id, camera.code, camera.name, camera.name_ur, site?.name, site?.name_ur, site?.district].join(' '))
    return words.every((word) => text.includes(word))
  })
}
