import type { zh } from './zh';

export const en: typeof zh = {
  title: 'All counties',
  county: 'County',
  open: 'Open',
  missed: 'Missed first',
  cameras: 'Cameras',
  edges: 'Edges',
  faults: 'Faults',
  openBoard: 'Open the board',
  sum: (counties, open) => `${counties} counties, ${open} open incidents`,
  late: (count) => `${count} with a missed limit`,
  lost: (count) => `${count} of which nothing is known`,
  drills: (count) => `${count} drills`,
  silent: (silent, all) => (silent === 0 ? String(all) : `${silent} of ${all} without a picture`),
  unwell: (unwell, all) => (unwell === 0 ? String(all) : `${unwell} of ${all} not well`),
  ago: (span) => `late by ${span}`,
  waits: (span) => `waits for ${span}`,
  none: 'No county yet: put the configuration of each into the folder of [centre] counties',
  well: 'well',
};
