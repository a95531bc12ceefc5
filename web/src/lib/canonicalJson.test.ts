import { describe, expect, it } from 'vitest'
import { canonicalJson, type Json } from './canonicalJson'

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units, as RFC 8785, 3.2.3 shows', () => {
    const value: Json = { '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew', '1': 'One', '\ud83d\ude00': 'Emoji', '\u0080': 'Control', '\u00f6': 'o' }
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object).join('|')).toBe('1|\r|\u0080|\u00f6|\u20ac|\ud83d\ude00|\ufb33')
  })

  it('writes numbers, strings and structure without a blank', () => {
    expect(canonicalJson({ b: [1e21, 0.000001, 4.5, -0, true, null], a: 'نقشہ "\n\u001f' })).toBe(
      '{"a":"نقشہ \\"\\n\\u001f","b":[1e+21,0.000001,4.5,0,true,null]}',
    )
  })
})
