import { describe, expect, it } from 'vitest';
import { EventParser } from '../shared/stream';

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
