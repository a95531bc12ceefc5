import { phrases } from '../define'

/** Wall and Playback (rooms/video, lib/player). */
export const video = phrases({
  'video.wall': ['Wall', 'ویڈیو وال'],
  'video.playback': ['Playback', 'ریکارڈنگ'],
})
