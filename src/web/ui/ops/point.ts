/** Pure: which of the model's operating points some thresholds are, and numbers as people read them. */
import type { Estimate, PointName, Points, Thresholds } from '../shared/types';

export const pointNames: readonly PointName[] = ['quiet', 'balanced', 'eager'];

/** What a point says, and what the sliders move. */
export type Numbers = Pick<Thresholds, 'smoke' | 'fire' | 'needed' | 'window'>;
export const numbersOf = ({ smoke, fire, needed, window }: Numbers): Numbers => ({ smoke, fire, needed, window });

export const same = (a: Numbers, b: Numbers): boolean => a.smoke === b.smoke && a.fire === b.fire && a.needed === b.needed && a.window === b.window;

/** Null: numbers of one's own. */
export const pointOf = (points: Points, numbers: Numbers): PointName | null => pointNames.find((name) => same(points[name], numbers)) ?? null;

/** Two digits, three where the third says something: 0.55, 0.781. */
export const level = (value: number): string => value.toFixed(3).replace(/0$/, '');

/** `0.55 / 0.50 / 3-5` */
export const shown = ({ smoke, fire, needed, window }: Numbers): string => `${level(smoke)} / ${level(fire)} / ${needed}-${window}`;

/** Two digits that count, for an evaluation knows no more: 0.034, 1.1, 290. */
export const rough = (value: number): string => String(Number(value.toPrecision(2)));
export const percent = (share: number): string => `${Math.round(100 * share)}%`;

export const times = ({ value, lower, upper }: Estimate, n: number): Estimate => ({ value: value * n, lower: lower * n, upper: upper * n });
export const interval = ({ lower, upper }: Estimate, show: (value: number) => string): string => `${show(lower)}–${show(upper)}`;
