import { phrases } from '../define'

/** Turning cameras (rooms/video/head). */
export const heads = phrases({
  'head.turn': ['Steer this camera', 'کیمرا گھمائیں'],
  'head.box': ['Draw a box to look there; click to bring a point to the middle', 'جہاں دیکھنا ہو وہاں خانہ کھینچیں؛ کلک سے نقطہ درمیان میں آئے گا'],
  'head.left': ['Left (hold)', 'بائیں (دبائے رکھیں)'],
  'head.right': ['Right (hold)', 'دائیں (دبائے رکھیں)'],
  'head.up': ['Up (hold)', 'اوپر (دبائے رکھیں)'],
  'head.down': ['Down (hold)', 'نیچے (دبائے رکھیں)'],
  'head.zoom': ['Zoom', 'زوم'],
  'head.preset': ['Go to a preset', 'محفوظ رخ پر جائیں'],
  'head.preset.none': ['No presets', 'کوئی محفوظ رخ نہیں'],
  'head.home': ['Home', 'ابتدائی رخ'],
  'head.moving': ['Moving', 'گھوم رہا ہے'],
  'head.hint': ['Draw a box, or use the arrows. Each order is in the log.', 'خانہ کھینچیں یا تیر استعمال کریں۔ ہر حکم لاگ میں درج ہوتا ہے۔'],
  'head.taken': ['Somebody else steers it until {time}', '{time} تک کوئی اور اسے گھما رہا ہے'],
})
