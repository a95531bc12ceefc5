import { useScrub } from './useScrub'
import classes from './Timeline.module.css'

/** The picture of the instant under the hand, above its time; its place is kept free so that nothing jumps. */
export function ScrubPicture({ camera, at, spanMs }: { camera: string; at: number; spanMs: number }) {
  const shown = useScrub(camera, at, spanMs)
  return <span className={classes['scrub']}>{shown === null ? null : <img src={shown.address} alt="" data-scrub={shown.at} draggable={false} />}</span>
}
