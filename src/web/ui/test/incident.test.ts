import { describe, expect, it } from 'vitest';
import { clockOf, eyes, groupOf, inOrder, isLed, leading, markOf, notReached, overdueOf, sentLate, waitingFor } from '../shared/incident';
import { sourceName } from '../shared/describe';
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
  it('is the order in which the server gave it; closed leaves', () => {
    const list = [
      incident('later', { state: 'dispatched', dispatch: dispatch(-9) }),
      incident('late', { state: 'dispatched', dispatch: dispatch(-6) }),
      incident('young but important', { opened_at: iso(4) }),
      incident('old', { opened_at: iso(1) }),
      incident('waiting', { state: 'dispatched', dispatch: dispatch(0) }),
      incident('closed', { state: 'closed' }),
      incident('working', { state: 'acknowledged', dispatch: dispatch(0, { acknowledged: step(1) }) }),
    ];
    expect(inOrder(list, at(5)).map((it) => it.id)).toEqual(['later', 'late', 'young but important', 'old', 'waiting', 'working']);
    const [later, late, ...others] = list;
    expect(inOrder([late!, later!, ...others], at(5))[0]?.id).toBe('late');
  });

  it('shows what a clock has made overdue since under overdue, after those that were', () => {
    const list = [incident('late', { state: 'dispatched', dispatch: dispatch(-9) }), incident('new'), incident('soon late', { state: 'dispatched', dispatch: dispatch(0) })];
    expect(inOrder(list, at(5)).map((it) => it.id)).toEqual(['late', 'new', 'soon late']);
    expect(inOrder(list, at(10)).map((it) => it.id)).toEqual(['late', 'soon late', 'new']);
  });

  it('keeps what is only labelled below, and never calls it overdue', () => {
    const kiln = incident('kiln', { review_by: iso(1), review_missed: true, because: [{ code: 'known_heat_source', value: 'kiln' }, { code: 'digest', value: 'camera' }] });
    expect(groupOf(kiln, at(5))).toBe('labelled');
    expect(markOf(kiln, at(5))).toBe('needs_review');
  });

  it('folds a merged incident into its leader, unless somebody of its own is on the way', () => {
    const leader = incident('leader', { merged: ['led', 'led with ranger'] });
    const led = incident('led', { merged_into: 'leader' });
    const running = incident('led with ranger', { merged_into: 'leader', state: 'dispatched', dispatch: dispatch(0) });
    expect(inOrder([leader, running, led], at(1)).map((it) => it.id)).toEqual(['leader', 'led with ranger']);
    expect(isLed(led, [led])).toBe(false);
  });
});

describe('evidence', () => {
  it('leads with the most certain sighting that has a picture', () => {
    expect(leading(incident('a', { sightings: [sighting('x', 0.9, []), sighting('y', 0.6), sighting('z', 0.7)] }))?.id).toBe('z0.7');
  });

  it('counts independent eyes, not frames', () => {
    expect(eyes(incident('a', { sightings: [sighting('x', 0.9), sighting('x', 0.8), sighting('y', 0.7)] }))).toBe(2);
  });

  it('tells whom no message reached once each, with every message it takes', () => {
    const failed = (message: string, name: string, role = 'ranger') => ({ message, name, role, phone: null, channel: 'sms' as const, why: 'no answer', at: iso(1), next: null });
    const groups = notReached({ undelivered: [failed('1', 'Zhou'), failed('2', '', 'county_leader'), failed('3', 'Zhou')] });
    expect(groups.map((it) => it.messages)).toEqual([['1', '3'], ['2']]);
    expect(groups[0]?.last.message).toBe('3');
  });

  it('calls a step sent late only when the phone held it back', () => {
    expect(sentLate(iso(5), iso(0))).toBe(true);
    expect(sentLate(iso(0.5), iso(0))).toBe(false);
    expect(sentLate(iso(5), null)).toBe(false);
  });
});

describe('who saw it', () => {
  it('names the preset of a turning camera, and says when nobody has named the view', () => {
    const seen = sighting('cam-1', 0.9);
    const by = (pose: string) => sourceName({ ...seen, source: { ...seen.source, pose } as typeof seen.source });
    const plain = by('default');
    expect(by('东坡')).toBe(`${plain}（预置位 东坡）`);
    expect([by('?3'), by('?')]).toEqual([`${plain}（未指明的画面）`, `${plain}（未指明的画面）`]);
  });
});
