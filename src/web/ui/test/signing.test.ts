import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { board } from '../shared/board';
import { awaitsRelief, shift } from '../office/shift';
import { handOver, openedSince, refused, shiftShown, standing, startShift, takeOver, toRead } from '../office/signing';
import { incident } from './incidents';
import type { Board, ShiftState } from '../shared/types';

// No test makes a sound.
vi.mock('../shared/sound', async (original) => ({ ...(await original<object>()), unlock: () => Promise.resolve(), playNew: () => undefined }));

const who = (id: string) => ({ id, name: id, role: 'county_duty', phone: null, distance_m: null }) as ShiftState['me'];
const handover = { at: '2026-11-21T12:00:00Z', note: '', open: [], unreached: [], burns: [], faults: [] };
const of = (officer: string | null, handed = false): ShiftState => ({
  current: officer === null ? null : { officer: who(officer), since: '2026-11-21T00:00:00Z', before: null, taken: { how: 'started' }, handover: handed ? handover : null },
  rota: who('wu'),
  unsigned_since: officer === null ? '2026-11-21T00:00:00Z' : null,
  me: who('wu'),
});
const holds = (state: ShiftState, ...incidents: Board['incidents']): void => void (board.value = { incidents, cameras: [], health: [], shift: state } as unknown as Board);

const sent: { path: string; body: unknown }[] = [];
let answer: { status: number; body: unknown };
beforeEach(() => {
  sent.length = 0;
  answer = { status: 200, body: of('wu') };
  vi.stubGlobal('window', {});
  vi.stubGlobal('fetch', (path: string, how: RequestInit) => {
    sent.push({ path, body: JSON.parse(String(how.body ?? 'null')) });
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  [board.value, shift.value, shiftShown.value, refused.value] = [null, null, false, null];
});

describe('the shift', () => {
  it('is somebody’s or nobody’s, and a handover waits for another', () => {
    expect([of(null), of('wu'), of('wu', true), of('li'), of('li', true)].map(standing)).toEqual(['nobody', 'mine', 'mine_handed_over', 'held', 'handed_over']);
  });

  it('is signed by the press that turns the sound on, once', async () => {
    holds(of(null));
    await startShift();
    expect(sent.map(({ path }) => path)).toEqual(['/api/v1/shift/start']);
    expect(shift.value?.officer).toBe('wu');
    expect(awaitsRelief.value).toBe(false);
    await startShift();
    expect(sent.length).toBe(1);
  });

  it('of another is not taken by a press: what was handed over is read first', async () => {
    for (const state of [of('li'), of('li', true)]) {
      shiftShown.value = false;
      holds(state);
      await startShift();
      expect(shiftShown.value).toBe(true);
    }
    expect(sent).toEqual([]);
  });

  it('wants relief when nobody has signed for the hours that have begun', () => {
    shift.value = { officer: 'wu', since: 0, sound: true };
    holds(of('wu'));
    expect(awaitsRelief.value).toBe(false);
    holds({ ...of('wu'), unsigned_since: '2026-11-21T12:00:00Z' });
    expect(awaitsRelief.value).toBe(true);
    holds(of('li'));
    expect(awaitsRelief.value).toBe(true);
  });
});

describe('a handover', () => {
  it('names what is open, and those that go with another are read with it', async () => {
    const [lead, led] = [incident('a'), incident('b', { merged_into: 'a' })];
    expect(toRead([lead, led]).map(({ id }) => id)).toEqual(['a']);
    holds(of('wu'), lead);
    await handOver('西山有雾', null);
    expect(sent[0]).toEqual({ path: '/api/v1/shift/hand-over', body: { read: ['a'], note: '西山有雾', signed_for: null } });
  });

  it('says what has opened since it was signed, and whoever takes over signs for that, too', async () => {
    const [known, late] = [incident('a'), incident('b')];
    const open = [{ incident: 'a', code: '1121-01', place: '', state: 'dispatched', drill: false }];
    const since = openedSince({ ...handover, open } as unknown as Parameters<typeof openedSince>[0], [known, late]);
    expect(since.map(({ id }) => id)).toEqual(['b']);
    await takeOver(since);
    expect(sent[0]).toEqual({ path: '/api/v1/shift/start', body: { read: ['b'] } });
  });

  it('that is refused says why', async () => {
    holds(of('wu'));
    answer = { status: 409, body: { code: 'conflict', detail: '还有未逐条看过的警情：7号' } };
    expect(await handOver('', null)).toBe(false);
    expect(refused.value).toContain('7号');
  });
});
