import { phrases } from '../define'

/** The demo's door and the things it lets people break. */
export const demo = phrases({
  'demo.title': ['Demo', 'نمائش'],
  'demo.what': [
    'SafeCity records a city’s cameras, calls a person when something happens on a street, and writes every look into a log that nobody can change. This city is invented. Choose who you are:',
    'سیف سٹی شہر کے کیمرے ریکارڈ کرتا ہے، سڑک پر کچھ ہو تو انسان کو بلاتا ہے، اور ہر مشاہدہ ایسے لاگ میں لکھتا ہے جسے کوئی بدل نہیں سکتا۔ یہ شہر فرضی ہے۔ اپنا کردار چنیں:',
  ],
  'demo.cards': ['Roles', 'کردار'],
  'demo.cards.back': ['Choose a role instead', 'اس کے بجائے کردار چنیں'],
  'demo.typed': ['Sign in with a user name', 'صارف کے نام سے سائن ان کریں'],
  'demo.card.operator': ['Gets the alerts, looks at the picture, decides.', 'الرٹ لیتا ہے، تصویر دیکھ کر فیصلہ کرتا ہے۔'],
  'demo.card.dispatcher': ['Sends the nearest unit and hears from it.', 'قریب ترین یونٹ روانہ کرتا ہے اور رابطے میں رہتا ہے۔'],
  'demo.card.investigator': ['Works on cases: clips with their hash sheet.', 'مقدمات پر کام کرتا ہے: کلپ اور ان کی ہیش شیٹ۔'],
  'demo.card.supervisor': ['Is called when an alert waits too long.', 'الرٹ زیادہ دیر رکے تو اسے بلایا جاتا ہے۔'],
  'demo.card.auditor': ['Sees every look and every refusal, but no picture.', 'ہر مشاہدہ اور ہر انکار دیکھتا ہے، تصویر کوئی نہیں۔'],
  'demo.card.administrator': ['Keeps cameras, recorders and disks running; sees no picture.', 'کیمرے، ریکارڈر اور ڈسک چلاتا ہے؛ تصویر نہیں دیکھتا۔'],
  'fault.title': ['Break something', 'کچھ توڑ کر دیکھیں'],
  'fault.cut': ['Cut this camera', 'یہ کیمرا کاٹ دیں'],
  'fault.mend': ['Mend it', 'کیمرا جوڑ دیں'],
  'fault.kill': ['Kill its recorder', 'اس کا ریکارڈر بند کریں'],
  'fault.cut.done': [
    'The line is cut. Its tile says so within seconds, and Playback shows the gap with its cause.',
    'لائن کٹ گئی۔ چند سیکنڈ میں خانہ بتائے گا، اور ریکارڈنگ میں وقفہ اپنی وجہ کے ساتھ نظر آئے گا۔',
  ],
  'fault.cut.until': ['It mends itself at {time}.', '{time} پر خود جڑ جائے گا۔'],
  'fault.mend.done': ['The line is whole again. The picture comes back by itself.', 'لائن جڑ گئی۔ تصویر خود واپس آ جائے گی۔'],
  'fault.kill.done': [
    'Recorder {recorder} is killed and starts again by itself. Playback shows the short gap with its cause; Health still counts no unexplained second.',
    'ریکارڈر {recorder} بند ہو گیا اور خود دوبارہ چلے گا۔ ریکارڈنگ میں مختصر وقفہ وجہ سمیت نظر آئے گا؛ ”صحت“ میں کوئی سیکنڈ بلا وجہ نہیں۔',
  ],
  'fault.look.timeline': ['Its timeline', 'اس کی ٹائم لائن'],
  'fault.look.health': ['Health', 'صحت'],
})
