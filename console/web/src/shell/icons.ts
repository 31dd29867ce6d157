// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The page's own few icons: paths on a 16 by 16 field, drawn by AppIcon.vue.

export const icons = {
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  up: 'M8 4l5 5.5-1.2 1.1L8 6.4l-3.8 4.2L3 9.5z',
  down: 'M8 12L3 6.5l1.2-1.1L8 9.6l3.8-4.2L13 6.5z',
  close: 'M4.2 3.1L8 6.9l3.8-3.8 1.1 1.1L9.1 8l3.8 3.8-1.1 1.1L8 9.1l-3.8 3.8-1.1-1.1L6.9 8 3.1 4.2z',
  again: 'M8 2.5a5.5 5.5 0 015.2 3.7l1.5-.5-.6 4-3.6-1.9 1.2-.8A4 4 0 108 12a4 4 0 003-1.3l1.2 1A5.5 5.5 0 118 2.500z',
  full: 'M2 2h5v1.6H3.600V7H2zM9 2h5v5h-1.600V3.600H9zM2 9h1.600v3.400H7V14H2zM12.400 9H14v5H9v-1.600h3.400z',
  download: 'M7.200 2h1.600v6l2.400-2.400 1.100 1.100L8 11 3.700 6.700l1.100-1.100L7.200 8zM2.500 12.400h11V14h-11z',
} as const;

export type IconName = keyof typeof icons;
