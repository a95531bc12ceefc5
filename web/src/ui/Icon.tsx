/** Our own small set of line icons, 24x24, drawn in the colour of the text around them. */
const paths = {
  map: 'M9 4 3.500 6.500v13L9 17l6 3 5.500-2.500v-13L15 7 9 4Zm0 0v13m6-10v13',
  wall: 'M3.500 4.500h17v15h-17zM3.500 12h17M12 4.500v15',
  playback: 'M4 6a9 9 0 1 1-1 8M4 2.500V6.500h4M10.500 9v6l5-3-5-3Z',
  health: 'M3 12.500h4l2.500-6.500 4.500 12 2.500-5.500H21',
  log: 'M6 3.500h9l4 4V20.500H6zM14.500 3.500v4.500H19M9 12h7M9 15h7M9 18h4',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.500 8.500c.8-3.600 3.800-5.500 7.500-5.500s6.700 1.900 7.500 5.500',
  keyboard: 'M3 6.500h18v11H3zM7 10h.01M11 10h.01M15 10h.01M7 14h10',
  play: 'M8 5v14l11-7L8 5Z',
  pause: 'M8 5v14M16 5v14',
  close: 'M6 6l12 12M18 6 6 18',
  check: 'M4.500 12.500 10 18 19.500 6.500',
  warn: 'M12 4 2.500 20h19L12 4Zm0 6v5m0 2.500v.01',
  cross: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9 9l6 6m0-6-6 6',
  question: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-2.500-11.500a2.500 2.500 0 1 1 3.500 2.300c-.7.300-1 .8-1 1.700m0 3v.01',
  shield: 'M12 3.500 19 6v6c0 4-3 7-7 8.500C8 19 5 16 5 12V6l7-2.500ZM8.500 12l2.500 2.500 4.500-5',
  camera: 'M3.500 7.500h11v9h-11zM14.500 11l6-3v8l-6-3',
  chevron: 'm9 6 6 6-6 6',
  chevronDown: 'm6 9 6 6 6-6',
  sortUp: 'm7 14 5-5 5 5',
  download: 'M12 4v11m-4.500-4.500L12 15l4.500-4.500M5 19.500h14',
  signOut: 'M14 4.500H5v15h9M10 12h10.500m-3.500-3.500 3.500 3.500-3.500 3.500',
  disk: 'M5 4.500h14l1.500 9v6h-17v-6L5 4.500ZM3.500 13.500h17M17 16.500h.01',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3.500 2',
  database: 'M12 9c4 0 7-1.200 7-2.700S16 3.500 12 3.500 5 4.700 5 6.300 8 9 12 9ZM5 6.300v11.400c0 1.500 3 2.800 7 2.800s7-1.300 7-2.800V6.300M5 12c0 1.500 3 2.700 7 2.700s7-1.200 7-2.700',
  copy: 'M8.500 8.500h11v11h-11zM15.500 8.500v-4h-11v11h4',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13Zm5-1.500 5 5',
  filter: 'M4 5.500h16l-6.500 7.500v6l-3-2v-4L4 5.500Z',
  queue: 'M4 5.500h9M4 12h9M4 18.500h9M17 5.500l1.500 1.500 3-3M17 18.500h4.500M17 12h4.500',
  incident: 'M7 18.500v-5a5 5 0 0 1 10 0v5M4.500 18.500h15M12 2.500v2.500M4.500 5.500 6.300 7.300M19.500 5.500 17.700 7.300M12 12v3',
  case: 'M3.500 6.500h6l2 2.500h9v10.500h-17zM8 13h8M8 16h5',
  unit: 'M4 16.500v-4l2-5.500h12l2 5.500v4h-16ZM6.500 16.500v2m11-2v2M4.500 12h15M10 4.500h4',
  escalate: 'M12 20V6m-6 6 6-6 6 6M5 3h14',
  release: 'M9.500 7.500 5 12l4.500 4.500M5 12h9a5 5 0 0 1 5 5v1',
  pin: 'M12 21c-4-4.500-6.500-7.800-6.500-11a6.500 6.500 0 0 1 13 0c0 3.200-2.500 6.500-6.500 11Zm0-8.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z',
  scissors: 'M4 4l16 16M6.500 8H4v9h10m3-1V8H9.500M15 11l6-3v8l-2.500-1.200',
  power: 'M12 3.500v8M7 6.500a7.500 7.500 0 1 0 10 0',
  home: 'M4 11.500 12 4.500l8 7M6.500 10v9.500h11V10',
} as const

export type IconName = keyof typeof paths

interface IconProps {
  name: IconName
  /** Pixels at the usual text size; grows with it on wide walls. */
  size?: number
  /** Points the other way in Urdu (arrows, play heads are not mirrored; chevrons of lists are). */
  mirrored?: boolean
}

export function Icon({ name, size = 20, mirrored = false }: IconProps) {
  return (
    <svg
      width={`${size / 16}rem`}
      height={`${size / 16}rem`}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      data-mirrored={mirrored || undefined}
      className="sc-icon"
    >
      <path d={paths[name]} />
    </svg>
  )
}
