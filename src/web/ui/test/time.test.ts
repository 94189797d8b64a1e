import { describe, expect, it } from 'vitest';
import { apart, learn, serverNow } from '../shared/clock';
import { clockTime, countdown, hourMinute, monthDay, sameDay, span } from '../shared/time';

const MIN = 60_000;

describe('clocks', () => {
  it('shows minutes with two digits, and hours from the sixtieth minute', () => {
    expect(span(7 * MIN + 42_000)).toBe('07:42');
    expect(span(65 * MIN + 10_000)).toBe('1:05:10');
    expect(span(0)).toBe('00:00');
  });

  it('counts down to the second and never shows 00:00 before the deadline', () => {
    expect(countdown(10 * MIN, 0)).toMatchObject({ text: '10:00', urgency: 'fine' });
    expect(countdown(1, 0)).toMatchObject({ text: '00:01', urgency: 'soon' });
  });

  it('is overdue from the deadline itself on, with a plus', () => {
    expect(countdown(1000, 1000)).toMatchObject({ text: '+00:00', urgency: 'overdue' });
    expect(countdown(0, 138_000).text).toBe('+02:18');
    expect(countdown(0, 65 * MIN).text).toBe('+1:05:00');
  });

  it('is due soon in the last three minutes, or the last fifth when that is longer', () => {
    expect(countdown(3 * MIN, 0, 10 * MIN).urgency).toBe('soon');
    expect(countdown(4 * MIN, 0, 10 * MIN).urgency).toBe('fine');
    expect(countdown(11 * MIN, 0, 60 * MIN).urgency).toBe('soon');
  });

  it('tells county time whatever the computer is set to', () => {
    const at = Date.parse('2026-11-21T16:07:32Z');
    expect(clockTime(at)).toBe('00:07:32');
    expect(hourMinute(at)).toBe('00:07');
    expect(monthDay(at)).toEqual({ year: 2026, month: 11, day: 22 });
    expect(sameDay(at, at - 8 * MIN)).toBe(false);
  });
});

describe("the server's clock on this device", () => {
  const answer = (aheadMs: number, tookMs: number): number | null => {
    learn(new Date(Date.now() + aheadMs).toISOString(), tookMs);
    return apart.value;
  };

  it('is followed, and said when it is another by more than half a minute', () => {
    expect(answer(90_000, 200)).toBeGreaterThan(89_000);
    expect(serverNow() - Date.now()).toBeGreaterThan(89_000);
    expect(answer(-3_600_000, 200)).toBeLessThan(-3_599_000);
    expect(answer(20_000, 200)).toBeNull();
  });

  it('is not doubted because an answer was slow', () => {
    expect(answer(29_000, 10_000)).toBeNull();
    expect(answer(60_000, 10_000)).not.toBeNull();
  });
});
