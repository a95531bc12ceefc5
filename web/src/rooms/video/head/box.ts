/** Boxes drawn on a picture that is shown whole inside its tile. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface Place {
  x: number
  y: number
}

const within = (value: number) => Math.min(Math.max(value, 0), 1)

/** The rectangle that a picture of this shape takes in a frame, as `object-fit: contain` places it. */
export function pictureIn(frame: { width: number; height: number }, shape: { width: number; height: number }): Box {
  if (shape.width <= 0 || shape.height <= 0) return { x: 0, y: 0, ...frame }
  const scale = Math.min(frame.width / shape.width, frame.height / shape.height)
  const width = shape.width * scale
  const height = shape.height * scale
  return { x: (frame.width - width) / 2, y: (frame.height - height) / 2, width, height }
}

/** From corner to corner in pixels of the frame, as shares of the picture. */
export function boxOf(from: Place, to: Place, picture: Box): Box {
  const left = within((Math.min(from.x, to.x) - picture.x) / picture.width)
  const right = within((Math.max(from.x, to.x) - picture.x) / picture.width)
  const top = within((Math.min(from.y, to.y) - picture.y) / picture.height)
  const bottom = within((Math.max(from.y, to.y) - picture.y) / picture.height)
  return { x: left, y: top, width: right - left, height: bottom - top }
}
