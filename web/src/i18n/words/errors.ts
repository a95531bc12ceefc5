import { phrases } from '../define'

/** A refusal as a sentence, and what to do about it; one pair for each of the eight kinds. */
export const errors = phrases({
  'error.link': ['The server does not answer', 'سرور جواب نہیں دے رہا'],
  'error.link.do': [
    'Check that this computer is on the control centre’s network. The page tries again by itself.',
    'دیکھ لیں کہ یہ کمپیوٹر کنٹرول سینٹر کے نیٹ ورک پر ہے۔ صفحہ خود دوبارہ کوشش کرے گا۔',
  ],
  'error.signedOut': ['Your session has ended', 'آپ کا سیشن ختم ہو چکا ہے'],
  'error.signedOut.do': ['Sign in again.', 'دوبارہ سائن ان کریں۔'],
  'error.invalid': ['The request was not understood', 'درخواست درست نہیں'],
  'error.invalid.do': ['Correct what is named above and try again.', 'اوپر بتائی گئی بات درست کر کے دوبارہ کوشش کریں۔'],
  'error.denied': ['This is not permitted', 'اس کی اجازت نہیں'],
  'error.denied.do': [
    'The refusal was written to the log. Ask your supervisor if your work needs it.',
    'یہ انکار لاگ میں درج ہو گیا ہے۔ اگر کام کے لیے ضروری ہو تو سپروائزر سے رجوع کریں۔',
  ],
  'error.not_found': ['It is not there', 'مطلوبہ چیز موجود نہیں'],
  'error.not_found.do': ['It may have been removed or its time has passed.', 'ممکن ہے اسے ہٹا دیا گیا ہو یا اس کی مدت گزر چکی ہو۔'],
  'error.conflict': ['This does not fit how things stand now', 'یہ موجودہ صورتِ حال سے مطابقت نہیں رکھتا'],
  'error.conflict.do': ['Look at how it stands now, then decide again.', 'موجودہ صورتِ حال دیکھ کر دوبارہ فیصلہ کریں۔'],
  'error.exhausted': ['A limit has been reached', 'مقررہ حد پوری ہو چکی ہے'],
  'error.exhausted.do': ['Wait a little, or close what you no longer need.', 'کچھ دیر انتظار کریں یا غیر ضروری مناظر بند کر دیں۔'],
  'error.unavailable': ['This part does not answer now', 'یہ حصہ اس وقت دستیاب نہیں'],
  'error.unavailable.do': ['It starts again by itself. Try again in some seconds.', 'یہ خود دوبارہ چل پڑے گا۔ چند سیکنڈ بعد دوبارہ کوشش کریں۔'],
  'error.data_loss': ['Something stored is damaged', 'محفوظ شدہ مواد میں خرابی ہے'],
  'error.data_loss.do': ['Tell the technician, with the time shown here.', 'یہاں درج وقت کے ساتھ ٹیکنیشن کو اطلاع دیں۔'],
  'error.internal': ['SafeCity made a mistake', 'سیف سٹی کے نظام میں غلطی ہوئی'],
  'error.internal.do': ['Try again. If it stays, tell the technician.', 'دوبارہ کوشش کریں۔ غلطی برقرار رہے تو ٹیکنیشن کو بتائیں۔'],
})
