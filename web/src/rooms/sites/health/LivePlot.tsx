import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useI18n } from '../../../i18n/i18n'
import { clockTime, shortTime } from '../../../lib/time'
import { color } from '../../../ui/theme'
import { useTime } from '../../../ui/useTime'
import type { LiveHistory } from './useLiveHistory'
import classes from './Health.module.css'

const HEIGHT_PX = 170
const LEAST_SPAN_S = 300

/** Time axis at least five minutes wide and ending now; counts from just below the lowest to the total. */
function options(widthPx: number, axisTime: (s: number) => string): uPlot.Options {
  const axis: uPlot.Axis = { stroke: color.textDim, grid: { stroke: color.line, width: 1 }, ticks: { show: false }, font: '12px Inter Variable' }
  return {
    width: widthPx,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 26, 0, 0],
    scales: {
      x: { time: true, range: (_, min, max) => [Math.min(min, max - LEAST_SPAN_S), max] },
      y: { range: (_, min, max) => [Math.max(0, min - Math.max(1, (max - min) * 0.5)), max + Math.max(1, (max - min) * 0.1)] },
    },
    axes: [
      { ...axis, size: 26, space: 70, incrs: [60, 120, 300, 600], values: (_, splits) => splits.map(axisTime) },
      { ...axis, size: 52, space: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
    ],
    series: [
      {},
      { stroke: color.textDim, width: 1, dash: [4, 4], points: { show: false } },
      { stroke: color.live, width: 2, fill: 'rgb(76 195 138 / 12%)', points: { show: false }, paths: uPlot.paths.stepped?.({ align: 1 }) },
    ],
  }
}

export function LivePlot({ history }: { history: LiveHistory }) {
  const { t } = useI18n()
  const { place } = useTime()
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = useRef<uPlot.AlignedData>([[], [], []])
  data.current = [history.at, history.total, history.live]

  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const made = new uPlot(options(element.clientWidth, (s) => shortTime(s * 1000, place)), data.current, element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [place])
  useEffect(() => plot.current?.setData(data.current), [history])

  const last = history.live.at(-1)
  const words = `${t('health.recent')}: ${last ?? '–'} / ${history.total.at(-1) ?? '–'}, ${clockTime(Date.now(), place)}`
  return <div ref={box} className={classes['plot']} dir="ltr" role="img" aria-label={words} />
}
