import { describe, expect, it } from 'vitest';
import { clockOf, eyes, groupOf, inOrder, leading, markOf, overdueOf, sentLate, waitingFor } from '../shared/incident';
import { dispatch, incident, iso, sighting, step, T0 } from './incidents';

const at = (minutes: number): number => T0 + minutes * 60_000;

describe('the running clock', () => {
  it('follows the step the dispatch waits for', () => {
    const d = dispatch(0);
    expect(waitingFor(d)).toBe('acknowledged');
    expect(waitingFor({ ...d, acknowledged: step(3) })).toBe('arrived');
    expect(waitingFor({ ...d, arrived: step(3) })).toBe('reported');
    expect(waitingFor({ ...d, reported: step(3) })).toBeNull();
  });

  it('is the review time before a dispatch, and none after closing', () => {
    expect(clockOf(incident('a', { review_by: iso(2) }), at(1))).toMatchObject({ what: 'review', countdown: { text: '01:00' } });
    expect(clockOf(incident('a', { state: 'closed', dispatch: dispatch(0) }), at(1))).toBeNull();
  });

  it('says which limit passed, within the second', () => {
    const it = incident('a', { state: 'dispatched', dispatch: dispatch(0) });
    expect(overdueOf(it, at(10) - 1)).toBeNull();
    expect(overdueOf(it, at(10))).toBe('acknowledged');
    expect(markOf(it, at(10))).toBe('overdue');
    expect(groupOf(it, at(10))).toBe('overdue');
  });

  it('ignores a declined dispatch while the incident is back for review', () => {
    expect(overdueOf(incident('a', { dispatch: dispatch(0, { declined: 'road' }) }), at(20))).toBeNull();
  });
});

describe('queue order', () => {
  it('puts overdue first, then the unseen, the unacknowledged, the working, the reported; closed leaves', () => {
    const list = [
      incident('reported', { state: 'reported', dispatch: dispatch(-50, { acknowledged: step(-45), arrived: step(-30), reported: step(-5) }) }),
      incident('working', { state: 'acknowledged', dispatch: dispatch(0, { acknowledged: step(1) }) }),
      incident('waiting', { state: 'dispatched', dispatch: dispatch(0) }),
      incident('new', { opened_at: iso(4) }),
      incident('older', { opened_at: iso(1) }),
      incident('late', { state: 'dispatched', dispatch: dispatch(-6) }),
      incident('later', { state: 'dispatched', dispatch: dispatch(-9) }),
      incident('closed', { state: 'closed' }),
    ];
    expect(inOrder(list, at(5)).map((it) => it.id)).toEqual(['later', 'late', 'older', 'new', 'waiting', 'working', 'reported']);
  });

  it('orders the waiting by least time left', () => {
    const list = [incident('b', { state: 'dispatched', dispatch: dispatch(2) }), incident('a', { state: 'dispatched', dispatch: dispatch(1) })];
    expect(inOrder(list, at(3)).map((it) => it.id)).toEqual(['a', 'b']);
  });

  it('re-orders 200 incidents well within a frame', () => {
    const list = Array.from({ length: 200 }, (_, i) => incident(String(i), { opened_at: iso(i % 37) }));
    const before = performance.now();
    inOrder(list, at(60));
    expect(performance.now() - before).toBeLessThan(50);
  });
});

describe('evidence', () => {
  it('leads with the most certain sighting that has a picture', () => {
    expect(leading(incident('a', { sightings: [sighting('x', 0.9, []), sighting('y', 0.6), sighting('z', 0.7)] }))?.id).toBe('z0.7');
  });

  it('counts independent eyes, not frames', () => {
    expect(eyes(incident('a', { sightings: [sighting('x', 0.9), sighting('x', 0.8), sighting('y', 0.7)] }))).toBe(2);
  });

  it('calls a step sent late only when the phone held it back', () => {
    expect(sentLate(iso(5), iso(0))).toBe(true);
    expect(sentLate(iso(0.5), iso(0))).toBe(false);
    expect(sentLate(iso(5), null)).toBe(false);
  });
});
