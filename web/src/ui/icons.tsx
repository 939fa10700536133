// Line icons, drawn on a grid of 16.

import type { JSX } from "preact";

const PATHS = {
  search: "M11.600 7a4.600 4.600 0 1 1-9.200 0 4.600 4.600 0 0 1 9.200 0Zm-1.200 3.400L14 14",
  shield: "M8 1.600 13.400 4v3.600c0 3.400-2.300 5.700-5.400 6.800-3.100-1.100-5.400-3.400-5.400-6.800V4zM5.600 8l1.800 1.800 3.200-3.400",
  lock: "M3 8.400C3 7.600 3.600 7 4.400 7h7.200c.8 0 1.400.6 1.400 1.400v4.200c0 .8-.6 1.400-1.400 1.400H4.400A1.400 1.400 0 0 1 3 12.600zM5.300 7V5a2.700 2.700 0 0 1 5.400 0v2",
  pan: "M8 1.500v13M1.500 8h13M6 3.500l2-2 2 2M6 12.500l2 2 2-2M3.500 6l-2 2 2 2M12.500 6l2 2-2 2",
  lasso: "M8 2.200c3.600 0 6.200 1.900 6.200 4.500S11.600 11.200 8 11.200 1.800 9.300 1.800 6.700 4.400 2.200 8 2.200ZM5 11c-.6 1.200-.2 2.600 1.200 3",
  right: "m6 3.500 4.500 4.500L6 12.500",
  down: "m3.500 6 4.500 4.500L12.500 6",
  close: "m4 4 8 8m0-8-8 8",
  plus: "M8 3v10M3 8h10",
  sun: "M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM8 1.200v1.600m0 10.400v1.600M1.200 8h1.600m10.400 0h1.600M3.200 3.200l1.100 1.100m7.400 7.400 1.100 1.100m0-9.600-1.100 1.100m-7.400 7.400-1.100 1.100",
  moon: "M13.600 9.800A6 6 0 0 1 6.200 2.400a6 6 0 1 0 7.400 7.400Z",
  screen: "M2 3.500h12v7.500H2zM5.500 14h5M8 11v3",
  link: "M6.700 9.300a2.700 2.700 0 0 0 3.800 0l2.200-2.200a2.700 2.700 0 0 0-3.800-3.800l-.8.8M9.300 6.700a2.700 2.700 0 0 0-3.800 0L3.300 8.900a2.700 2.700 0 0 0 3.800 3.800l.8-.8",
  page: "M9.500 2H4.400C3.600 2 3 2.600 3 3.400v9.200c0 .8.6 1.400 1.400 1.400h7.200c.8 0 1.400-.6 1.400-1.400V5.500zM9.500 2v3.500H13",
  info: "M14.200 8A6.200 6.200 0 1 1 1.800 8a6.200 6.200 0 0 1 12.400 0ZM8 7.400v3.400M8 5v.4",
  arrow: "M3 8h10M9 4l4 4-4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" stroke-dasharray={name === "lasso" ? "2.400 2" : undefined} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo(): JSX.Element {
  return (
    <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="8" fill="#1f4fd8" />
      <circle cx="9.500" cy="15.500" r="4.600" fill="#fff" />
      <circle cx="17.600" cy="9" r="3" fill="#fff" opacity=".85" />
      <circle cx="18.600" cy="17.400" r="1.700" fill="#fff" opacity=".7" />
    </svg>
  );
}
