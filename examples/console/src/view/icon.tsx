// Icons, drawn as strokes in the colour of the text around them.
const PATHS = {
  inbox: 'M3 13h5l1.5 3h5L16 13h5M5 5h14l2 8v6H3v-6z',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-5.500 8-5.500s7 1.500 8 5.500',
  stack: 'M12 3 3 8l9 5 9-5zM3 13l9 5 9-5',
  archive: 'M3 5h18v4H3zM5 9v10h14V9M10 13h4',
  tag: 'M3 12V4h8l10 10-8 8zM7.500 8.500h.01',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM21 21l-5-5',
  check: 'm5 12.500 4.500 4.500L19 7.500',
  checks: 'm2 12.500 4.500 4.500L16 7.500M12 16l1 1 9-9.500',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  send: 'M4 12 20 4l-5 16-3.500-6.500z',
  note: 'M5 3h14v12l-6 6H5zM13 21v-6h6M8 8h8M8 12h5',
  back: 'm14 5-7 7 7 7',
  close: 'M6 6l12 12M18 6 6 18',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  gear: 'M12 15.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM12 2.500v3M12 18.500v3M2.500 12h3M18.500 12h3M5.300 5.300l2.100 2.100M16.600 16.600l2.100 2.100M18.700 5.300l-2.100 2.100M7.400 16.600l-2.100 2.100',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M12 16.500h.01',
  panel: 'M3 5h18v14H3zM15 5v14',
  swap: 'M4 8h14l-4-4M20 16H6l4 4',
  download: 'M12 4v11M7 10.500l5 5 5-5M4 20h16',
  bell: 'M6 17V11a6 6 0 1 1 12 0v6l2 2H4zM10 21.500h4',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18',
  eye: 'M2 12c4-8 16-8 20 0-4 8-16 8-20 0zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  alert: 'M12 3 2 20h20zM12 10v4M12 17h.01',
  bolt: 'M13 3 5 14h6l-1 7 9-11h-6z',
  reply: 'M10 6 4 12l6 6M4 12h9c4 0 7 2 7 6',
  reopen: 'M4 12a8 8 0 1 0 2.500-5.800M4 4v4h4',
  hand: 'M12 12V5M9 13V6.500M15 12.500V6.500M6 14.500V10M18 13v-3c2 0 2 8-.5 10.500-2 2-7.500 2-9 0L4 15',
  out: 'M14 4h6v16h-6M10 8l-4 4 4 4M6 12h9',
  shield: 'M12 3 4 6v6c0 5 4 8 8 9 4-1 8-4 8-9V6z',
  moon: 'M20 14.500A8.500 8.500 0 1 1 9.500 4 7 7 0 0 0 20 14.500z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="mark-ground" width="32" height="32" rx="9" />
      <path class="mark-line" d="M9 8v16M23 8v16M9 17c3.500-5 10.500-5 14 0" />
    </svg>
  );
}
