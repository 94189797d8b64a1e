import { describe, expect, it } from 'vitest';
import { sumOf, toneOf } from '../counties/state';
import type { AtWork, CountyLine } from '../counties/types';

const well: AtWork = { open: 0, drills: 0, missed: null, cameras: 9, silent_cameras: 0, edges: 1, unwell_edges: 0, faults: [] };
const missed: AtWork['missed'] = { incident: 'i', code: '0405-001', place: 'g1', what: 'arrived', at: '2026-04-05T06:30:00Z' };
const line = (at_work: AtWork | null): CountyLine => ({ code: 'yuanling', name: 'Yuanling', url: null, why: null, at_work });

describe('the prefecture at a glance', () => {
  it.each([
    ['lost', null],
    ['late', { ...well, open: 1, missed, silent_cameras: 3 }],
    ['unwell', { ...well, open: 1, silent_cameras: 1 }],
    ['unwell', { ...well, unwell_edges: 1 }],
    ['unwell', { ...well, faults: [{ part: 'disk', ok: false, words: 'full' }] }],
    ['open', { ...well, open: 2 }],
    ['calm', { ...well, drills: 1 }],
  ] as const)('%s', (tone, at_work) => expect(toneOf({ at_work: at_work as AtWork | null })).toBe(tone));

  it('counts what is open and of how many counties nothing is known', () => {
    const counties = [line(null), line({ ...well, open: 2, missed }), line({ ...well, open: 1 })];
    expect(sumOf({ counties })).toEqual({ counties: 3, lost: 1, late: 1, open: 3 });
  });
});
