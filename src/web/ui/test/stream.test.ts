import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventParser, follow, STALE_OFFICE_MS, stale } from '../shared/stream';

describe('event stream', () => {
  it('reads events however the network cuts them, and skips heartbeats', () => {
    const parser = new EventParser();
    expect(parser.push(': alive\n\nid: 7\nevent: cha')).toEqual([]);
    expect(parser.push('nged\ndata: {"incident":"a"}\n')).toEqual([]);
    expect(parser.push('\n')).toEqual([{ id: '7', name: 'changed', data: '{"incident":"a"}' }]);
  });

  it('keeps the last id for events without one, joins data lines, takes CRLF', () => {
    const parser = new EventParser();
    expect(parser.push('id: 3\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n')).toEqual([
      { id: '3', name: 'message', data: 'a\nb' },
      { id: '3', name: 'message', data: 'c' },
    ]);
  });
});

describe('a dead line', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    stale.value = false;
  });
  it.each([
    ['refuses', () => Promise.reject(new Error('refused'))],
    ['says nothing', () => new Promise<Response>(() => undefined)],
  ])('that %s is known to the office within 15 s', (_, answer) => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', answer);
    vi.stubGlobal('addEventListener', () => undefined);
    follow({ onEvent: () => undefined, onReconnect: () => undefined }, '', STALE_OFFICE_MS);
    vi.advanceTimersByTime(10_000);
    expect(stale.value, 'two signs of life may be lost').toBe(false);
    vi.advanceTimersByTime(5000);
    expect(stale.value).toBe(true);
  });
});
