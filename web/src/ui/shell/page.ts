import type { Act } from '../../api/wire'
import type { WordKey } from '../../i18n/words'
import type { IconName } from '../Icon'

/** One entry of the rail. The order is the order of the number keys. */
export interface PageEntry {
  path: string
  label: WordKey
  icon: IconName
  /** After "g". */
  letter: string
  /** Whose role may do this sees the page. */
  act: Act
}
