import { afterEach, describe, expect, it, vi } from 'vitest';
import { destination } from '../shared/geo';
import { ageOf, toPosition } from '../ranger/gps';
import { watched } from '../ranger/moved';
import { proof } from '../ranger/proof';
import { bearingFix, incident } from './incidents';
import type { RangerIncident } from '../shared/types';

const task = (change: Partial<RangerIncident> = {}): RangerIncident => ({ ...incident('a'), mine: 'sent', told_as: null, answered_at: null, ...change });
const NOW = Date.parse('2026-11-21T06:00:00Z');
const here = (metres: number, agoMs = 0) => ({ at: destination(task().fix.centre, 90, metres), accuracy_m: 9, ageMs: agoMs, cameAt: { elapsed: performance.now(), wall: Date.now() } });
afterEach(() => void vi.useRealTimers());

describe('a position', () => {
  it('carries when it was measured, on the clock of the tap', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    expect(toPosition(here(0, 60_000), NOW).measured_at).toBe('2026-11-21T05:59:00.000Z');
    expect(toPosition(here(0), NOW + 3_600_000).measured_at).toBe('2026-11-21T07:00:00.000Z');
  });

  it.each([-86_400_000, -3000, 0])('is as old as it is after the clock jumps by %i ms', (jump) => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const fix = here(0, 1000);
    vi.advanceTimersByTime(4000);
    vi.setSystemTime(Date.now() + jump);
    expect(ageOf(fix)).toBe(5000);
  });

  it('proves an arrival near enough and fresh enough, by the rule of the server', () => {
    const rule = { radius_m: 500, age_max_s: 120 };
    expect(proof(task(), here(700), rule)).toMatchObject({ lacks: null });
    expect(proof(task(), here(1000), rule).lacks).toBe('far');
    expect(proof(task(), here(0, 121_000), rule)).toMatchObject({ metres: 0, lacks: 'old' });
    expect(proof(task(), null, rule)).toEqual({ metres: null, lacks: 'no_position' });
  });
});

describe('a corrected place', () => {
  const nothing = { seen: {}, moves: {} };
  const moved = task({ place: { ...task().place, name: 'b', grid: 'G2' } });
  it('is told with the old one until it is read, and over a reload', () => {
    const first = watched(nothing, [task()]);
    expect(first.moves).toEqual({});
    const second = watched(first, [moved]);
    expect(second.moves['a']).toMatchObject({ from: { name: 'a' }, to: { name: 'b', grid: 'G2' } });
    expect(watched(second, [moved]).moves['a']?.from.name).toBe('a');
    expect(watched({ ...second, moves: {} }, [moved]).moves).toEqual({});
    expect(watched(second, [task()]).moves).toEqual({});
    expect(watched(second, [{ ...moved, state: 'closed' }])).toEqual(nothing);
  });

  it('is a few steps on foot no correction, a bearing that becomes a place is one', () => {
    const first = watched(nothing, [task()]);
    const near = task({ fix: { ...task().fix, centre: destination(task().fix.centre, 0, 300) } });
    expect(watched(first, [near]).moves).toEqual({});
    const bearing = watched(nothing, [task({ fix: bearingFix })]);
    expect(watched(bearing, [task({ fix: { ...task().fix, method: 'triangulated' } })]).moves['a']).toBeDefined();
  });
});
