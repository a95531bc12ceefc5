/** What keeps the recordings, and the links they travel on. */
import { phrases } from '../define'

export const store = phrases({
  'store.title': ['Recordings and links', 'ریکارڈنگ اور رابطے'],
  'store.keys': ['How it stands, or what keeps the recordings', 'موجودہ صورتِ حال یا ریکارڈنگ کی حفاظت'],
  'link.title': ['Links to the sites', 'سائٹوں کے رابطے'],
  'link.aside': ['{up} of {all} up', '{all} میں سے {up} فعال'],
  'link.site': ['Site', 'سائٹ'],
  'link.handshake': ['Handshake', 'آخری مصافحہ'],
  'link.loss': ['Lost', 'ضائع'],
  'link.delay': ['Delay', 'تاخیر'],
  'link.carried': ['Received', 'موصول'],
  'link.mind': ['Mind', 'توجہ'],
  'link.never': ['never', 'کبھی نہیں'],
  'link.none': ['No site has a link', 'کسی سائٹ کا رابطہ نہیں'],
  'link.none.do': ['Sites on a network of their own need none. safecity link add SITE makes one.', 'اپنے نیٹ ورک کی سائٹوں کو ضرورت نہیں۔ safecity link add SITE سے رابطہ بنتا ہے۔'],
  'link.up': ['Up', 'فعال'],
  'link.degraded': ['Weak', 'کمزور'],
  'link.down': ['Down', 'منقطع'],
  'link.waiting': ['Waits for its site', 'سائٹ کا منتظر'],
  'link.unknown': ['Not measured', 'پیمائش نہیں'],
  'link.fault.key_old': ['Its keys are old: rotate them', 'کلیدیں پرانی ہیں: تبدیل کریں'],
  'link.fault.key_used_twice': ['Another site has the same key: revoke both', 'یہی کلید دوسری سائٹ پر بھی ہے: دونوں منسوخ کریں'],
  'link.fault.old_key_still_taken': ['Its old keys still work: retire them', 'پرانی کلیدیں اب بھی چلتی ہیں: ختم کریں'],
  'link.fault.offer_expired': ['The site has not answered its offer in time', 'سائٹ نے پیشکش کا بروقت جواب نہیں دیا'],
  'link.fault.hub_differs': ['The hub runs another configuration: safecity link up', 'مرکز پر دوسری ترتیب چل رہی ہے: safecity link up'],
})
