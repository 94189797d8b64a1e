import { afterEach, describe, expect, it } from 'vitest';
import { beat, untold, type Scene, type Told } from '../office/beat';
import { unheard } from '../office/alarm';
import { shift, shiftFrom } from '../office/shift';
import { callOf, grew, type Calls } from '../office/title';
import { board } from '../shared/board';
import { now } from '../shared/clock';
import { audible } from '../shared/sound';
import { stale } from '../shared/stream';
import { incident, T0 } from './incidents';
import type { Board } from '../shared/types';

const quiet: Scene = { t: 0, lost: false, waiting: [], unreached: [], late: 0, ailing: 0 };

/** The tones of these scenes, a second apart unless they say otherwise. */
function tones(scenes: Partial<Scene>[]): (string | null)[] {
  let told: Told = untold;
  return scenes.map((scene, i) => {
    const due = beat(told, { ...quiet, t: T0 + i * 1000, ...scene });
    told = due.told;
    return due.tone;
  });
}

describe('a tone', () => {
  it('comes at once for what is new, and again until somebody looks', () => {
    const a = { waiting: ['a'] };
    expect(tones([a, a, { waiting: ['a', 'b'] }, { ...a, t: T0 + 21_999 }, { ...a, t: T0 + 22_000 }, {}])).toEqual(['new', null, 'new', null, 'new', null]);
  });

  it('comes once for each person whom no message reached', () => {
    const failed = { unreached: ['a:Zhou'] };
    expect(tones([failed, failed, { unreached: ['a:Zhou', 'a:Li'] }, {}, failed])).toEqual(['failed', null, 'failed', null, 'failed']);
  });

  it('of one kind does not swallow another', () => {
    const both = { waiting: ['a'], unreached: ['a:Zhou'], lost: true };
    expect(tones([both, both, both, both])).toEqual(['lost', 'new', 'failed', null]);
  });

  it('says a lost server at once and every 20 s, and each loss anew', () => {
    const lost = { lost: true };
    expect(tones([lost, lost, { ...lost, t: T0 + 20_000 }, {}, lost])).toEqual(['lost', null, 'lost', null, 'lost']);
  });

  it('says what is late each minute, and a further camera that is not well softly', () => {
    expect(tones([{ late: 1 }, { late: 1 }, { late: 1, t: T0 + 60_000 }])).toEqual(['overdue', null, 'overdue']);
    expect(tones([{ ailing: 1 }, { ailing: 1 }, { ailing: 2 }, { ailing: 1 }, { ailing: 2 }])).toEqual([null, null, 'soft', null, 'soft']);
  });
});

describe('the shift', () => {
  it('is what was kept, and nothing else', () => {
    const kept = { officer: '吴敏', since: T0, sound: true };
    expect(shiftFrom(JSON.stringify(kept))).toEqual(kept);
    expect(shiftFrom(JSON.stringify({ since: T0, sound: false }))).toEqual({ officer: null, since: T0, sound: false });
    for (const text of [null, '', '{', 'null', '1', '{"since":"x","sound":true}', '{"since":1}']) expect(shiftFrom(text), String(text)).toBeNull();
  });
});

describe('the page', () => {
  afterEach(() => {
    [board.value, shift.value] = [null, null];
    [audible.value, stale.value] = [false, false];
  });
  const holds = (...incidents: Board['incidents']): void => {
    now.value = T0;
    board.value = { incidents, cameras: [], health: [], duty: { officer: null, leader: null } } as unknown as Board;
  };

  it('shouts while something waits and no sound runs, after a reload too', () => {
    holds();
    expect(unheard.value).toBe(false);
    holds(incident('a'));
    expect(unheard.value, 'nobody on shift').toBe(true);
    shift.value = { officer: null, since: T0, sound: true };
    expect(unheard.value, 'the browser holds the sound back').toBe(true);
    audible.value = true;
    expect(unheard.value).toBe(false);
    shift.value = { ...shift.value, sound: false };
    expect(unheard.value, 'switched off by hand').toBe(true);
    holds(incident('a', { state: 'arrived' }));
    expect(unheard.value).toBe(false);
    stale.value = true;
    expect(unheard.value, 'the server is lost').toBe(true);
  });
});

describe('the title', () => {
  const calm: Calls = { lost: false, unheard: false, late: 0, fresh: 0 };
  it('says the gravest alone', () => {
    expect(callOf(calm)).toBeNull();
    expect(callOf({ ...calm, fresh: 2 })).toBe('(2) 待研判');
    expect(callOf({ ...calm, fresh: 2, late: 1 })).toBe('(1) 超时');
    expect(callOf({ lost: false, unheard: true, late: 1, fresh: 0 })).toBe('【声音未开启】');
    expect(callOf({ lost: true, unheard: true, late: 1, fresh: 0 })).toBe('【连接中断】');
  });
  it('reaches the desktop when something comes, not when it goes', () => {
    expect(grew(calm, { ...calm, fresh: 1 })).toBe(true);
    expect(grew(calm, { ...calm, lost: true })).toBe(true);
    expect(grew({ ...calm, fresh: 2, lost: true }, { ...calm, fresh: 1 })).toBe(false);
  });
});
