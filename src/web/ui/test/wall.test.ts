import { describe, expect, it } from 'vitest';
import { wallState, type Seen } from '../wall/state';
import { incident, T0 } from './incidents';
import type { Board, Camera } from '../shared/types';

const camera = (health: string): Camera => ({ id: health, health }) as Camera;
const well = [{ part: 'desk', ok: true, words: '' }];
const seen = (cameras: string[], change: Partial<Seen> = {}, health: Board['health'] = well): Seen => ({
  board: { cameras: cameras.map(camera), health } as unknown as Board,
  queue: [],
  stale: false,
  failing: false,
  now: T0,
  ...change,
});
const tone = (it: Seen): string => wallState(it).tone;

describe('the wall', () => {
  it('is green only when every camera sees and every part is well', () => {
    expect(tone(seen(['ok', 'late', 'moved', 'resized']))).toBe('calm');
    for (const health of ['offline', 'frozen', 'black', 'fog', 'covered', 'starting', 'bad_password']) expect(tone(seen(['ok', health])), health).toBe('unwell');
    for (const part of ['desk', 'messages', 'channels', 'database', 'model', 'hotspots']) expect(tone(seen(['ok'], {}, [{ part, ok: false, words: 'x' }])), part).toBe('unwell');
  });

  it('is never green over silence', () => {
    expect(tone(seen(['ok'], { stale: true }))).toBe('lost');
    expect(tone(seen(['ok'], { failing: true }))).toBe('lost');
    expect(tone({ ...seen([]), board: null })).toBe('lost');
  });

  it('counts the blind and names the parts, the cameras once', () => {
    const health = [{ part: 'cameras', ok: false, words: 'cam1' }, { part: 'channels', ok: false, words: 'none' }, ...well];
    expect(wallState(seen(['ok', 'offline', 'frozen'], {}, health))).toMatchObject({ tone: 'unwell', blind: 2, cameras: 3, parts: ['channels'] });
  });

  it('calls for a fire whatever else is broken, and says that too', () => {
    const queue = [incident('a')];
    expect(wallState(seen(['offline'], { queue, failing: true }))).toMatchObject({ tone: 'alarm', blind: 1, waiting: queue });
    expect(tone(seen(['ok'], { queue, stale: true })), 'a dead line hides no call').toBe('alarm');
    expect(tone(seen(['ok'], { queue: [incident('b', { state: 'arrived' })] }))).toBe('calm');
  });
});
