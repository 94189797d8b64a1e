import { describe, expect, it } from 'vitest';
import { duration, interval, level, numbersOf, percent, pointOf, rough, seconds, shown, times } from '../ops/point';
import type { Point, Points, Thresholds } from '../shared/types';

const point = (smoke: number, evidence: number): Point => ({
  smoke,
  fire: 0.99,
  smoke_tile: 0.8,
  fire_tile: 0.9,
  evidence,
  expected: {
    false_alarms_per_camera_day: { value: 0.25, lower: 0, upper: 1.1 },
    event_recall: { value: 0.864, lower: 0.7, upper: 1 },
    minutes_to_alarm: { value: 2, lower: 0, upper: 4 },
  },
});
const points: Points = { default: 'balanced', quiet: point(0.913, 3.4), balanced: point(0.781, 3.4), eager: point(0.781, 2.2) };
const thresholds: Thresholds = { version: 4, smoke: 0.781, fire: 0.99, smoke_tile: 0.8, fire_tile: 0.9, evidence: 3.4, memory: 'PT2M', hysteresis: 0.7, cooldown: 'PT5M', area_min: 0, area_max: 1 };

describe('which point thresholds are', () => {
  it('is told by the five numbers, whatever the others are', () => expect(pointOf(points, thresholds)).toBe('balanced'));
  it.each([
    [{ evidence: 2.2 }, 'eager'],
    [{ smoke: 0.913 }, 'quiet'],
    [{ smoke: 0.78 }, null],
    [{ fire: 0.9 }, null],
    [{ smoke_tile: 0.7 }, null],
    [{ memory: 'PT5M' }, 'balanced'],
  ])('with %o is %s', (change, name) => expect(pointOf(points, { ...thresholds, ...change })).toBe(name));
  it('a point fills five numbers and leaves version, cooldown and sizes', () => {
    const filled = { ...thresholds, ...numbersOf(points.quiet) };
    expect(filled).toEqual({ ...thresholds, smoke: 0.913 });
    expect(pointOf(points, filled)).toBe('quiet');
  });
});

describe('numbers as people read them', () => {
  it.each([
    [0.5, '0.50'],
    [0.62, '0.62'],
    [0.781, '0.781'],
    [1, '1.00'],
  ])('the level %d is %s', (value, text) => expect(level(value)).toBe(text));
  it.each([
    [0, '0'],
    [0.034, '0.034'],
    [0.256, '0.26'],
    [1.1, '1.1'],
    [66.75, '67'],
    [293.7, '290'],
  ])('about %d is %s', (value, text) => expect(rough(value)).toBe(text));
  it('an interval of the whole county is that of one camera, so many times', () => {
    const here = times(points.quiet.expected.false_alarms_per_camera_day, 267);
    expect([rough(here.value), interval(here, rough)]).toEqual(['67', '0–290']);
  });
  it('a share is a percentage', () => expect(interval(points.quiet.expected.event_recall, percent)).toBe('70%–100%'));
  it('all five in a row', () => expect(shown(thresholds)).toBe('0.781 / 0.99 / 0.80 / 0.90 / 3.4'));
  it.each([
    ['PT2M', 120],
    ['PT2M30S', 150],
    ['PT45S', 45],
  ])('%s is %d seconds', (text, count) => expect([seconds(text), seconds(duration(count))]).toEqual([count, count]));
});
