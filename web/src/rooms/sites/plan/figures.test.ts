import { describe, expect, it } from 'vitest'
import { words } from '../../../i18n/words'
import { figure, grouped, partOf, within } from './figures'

const KEYS = [
  'storage_raw', 'storage_with_overhead', 'storage_two_copies', 'disks_one_copy', 'disks_two_copies', 'network_in', 'network_live_out', 'write_bandwidth',
  'cores_recording', 'recorder_processes', 'cores_analysis', 'cores_live', 'servers', 'memory', 'database_rows', 'database', 'power_loss_a_camera',
  'power_loss_total', 'driver_disks_a_core', 'driver_half_bitrate', 'driver_one_copy', 'driver_double_days', 'driver_detect_always',
]

describe('the figures of the plan', () => {
  it.each(KEYS)('%s has words and a part', (key) => {
    expect(words).toHaveProperty([`plan.key.${key}`])
    expect(partOf(key)).not.toBe('other')
  })

  it('keep one that this page does not know', () => {
    const line = { key: 'cooling', value: 1, unit: 'kW', formula: '' }
    expect(grouped([line])).toEqual([{ part: 'other', lines: [line] }])
  })

  it('are written as far as they are known', () => {
    expect(figure(1814)).toBe('1,814')
    expect(figure(0.32641)).toBe('0.326')
    expect(figure(6.16)).toBe('6.16')
    expect(figure(132)).toBe('132')
  })
})

describe('what is asked', () => {
  it('is a number the plan is for, or nothing', () => {
    expect(within(1400, 1, 100_000)).toBe(1400)
    expect(within('4.5', 0.1, 100)).toBe(4.5)
    expect(within('', 1, 10)).toBeNull()
    expect(within(0, 1, 10)).toBeNull()
    expect(within(11, 1, 10)).toBeNull()
  })
})
