import { phrases } from '../define'

export const edges = phrases({
  'edges.title': ['Edges', 'مقامی ریکارڈر'],
  'edges.site': ['Site', 'مقام'],
  'edges.state': ['State', 'حالت'],
  'edges.waiting': ['Not yet enrolled', 'ابھی شامل نہیں ہوا'],
  'edges.connected': ['Connected', 'منسلک'],
  'edges.silent': ['Records without the centre', 'مرکز کے بغیر ریکارڈ کر رہا ہے'],
  'edges.seen': ['Last contact', 'آخری رابطہ'],
  'edges.never': ['Never', 'کبھی نہیں'],
  'edges.facts': ['Facts waiting', 'منتظر حقائق'],
  'edges.left': ['To back-fill', 'بھیجنا باقی'],
  'edges.eta': ['Ready in', 'تیار ہونے میں'],
  'edges.live': ['Live streams', 'براہِ راست دھارے'],
})
