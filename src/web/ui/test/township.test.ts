import { beforeEach, describe, expect, it } from 'vitest';
import { allowed } from '../office/desk';
import { inWords } from '../office/say/log';
import { zh } from '../office/words/zh';
import { lang } from '../shared/lang';
import { board, isHere, isTownship } from '../shared/board';
import { dispatch, incident, iso } from './incidents';
import type { Board, Incident, LogEntry } from '../shared/types';

const at = (township: string, change: Partial<Incident> = {}): Incident => {
  const it = incident('1', change);
  return { ...it, place: { ...it.place, township } };
};

describe('a township at its board', () => {
  beforeEach(() => void (board.value = { incidents: [], townships: ['官庄镇'] } as unknown as Board));

  it('is offered its own steps on its own ground, and no others', () => {
    const sent = { state: 'dispatched', dispatch: dispatch(0) } as const;
    expect(isTownship.value).toBe(true);
    expect(allowed(at('官庄镇', sent))).toEqual(['acknowledge', 'dispatch', 'note']);
    expect(allowed(at('官庄镇', { state: 'reported', dispatch: dispatch(0) }))).toEqual(['send-back', 'note']);
    // Whether anybody is sent at all is the county's second look.
    expect(allowed(at('官庄镇'))).toEqual(['note']);
  });

  it('adds only notes to what lies across the border', () => {
    const across = at('麻溪铺镇', { state: 'dispatched', dispatch: dispatch(0) });
    expect(isHere(across)).toBe(false);
    expect(allowed(across)).toEqual(['note']);
  });

  it('reads that a line of the log is about elsewhere, not which incident', () => {
    lang.value = 'zh';
    const line: LogEntry = { version: 3, at: iso(0), actor: { kind: 'system' }, name: null, happened_at: null, event: null };
    expect(inWords(line, at('官庄镇'), { categories: [], cameras: new Map() })).toBe(zh.log_.elsewhere);
  });
});

it('leaves the county everything', () => {
  board.value = { incidents: [], townships: [] } as unknown as Board;
  expect(allowed(at('官庄镇'))).toEqual(['dispatch', 'false-alarm', 'note']);
  expect(isHere(at('麻溪铺镇'))).toBe(true);
});
