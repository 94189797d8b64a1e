/** Pure: which of the model's operating points some thresholds are, and numbers as people read them. */
import type { Estimate, PointName, Points, Thresholds } from '../shared/types';

export const pointNames: readonly PointName[] = ['quiet', 'balanced', 'eager'];

/** What a point says, and what the sliders move. */
const keys = ['smoke', 'fire', 'smoke_tile', 'fire_tile', 'evidence'] as const;
export type Numbers = Pick<Thresholds, (typeof keys)[number]>;
export const numbersOf = ({ smoke, fire, smoke_tile, fire_tile, evidence }: Numbers): Numbers => ({ smoke, fire, smoke_tile, fire_tile, evidence });

export const same = (a: Numbers, b: Numbers): boolean => keys.every((key) => a[key] === b[key]);

/** Null: numbers of one's own. */
export const pointOf = (points: Points, numbers: Numbers): PointName | null => pointNames.find((name) => same(points[name], numbers)) ?? null;

/** Two digits, three where the third says something: 0.55, 0.781. */
export const level = (value: number): string => value.toFixed(3).replace(/0$/, '');

/** `0.55 / 0.50 / 0.60 / 0.52 / 3.4` */
export const shown = (it: Numbers): string => [it.smoke, it.fire, it.smoke_tile, it.fire_tile].map(level).concat(it.evidence.toFixed(1)).join(' / ');

/** Of whole minutes and seconds, as thresholds write them: PT2M30S is 150. */
export const seconds = (duration: string): number => {
  const [, minutes, rest] = /^PT(?:(\d+)M)?(?:(\d+)S)?$/i.exec(duration) ?? [];
  return 60 * Number(minutes ?? 0) + Number(rest ?? 0);
};
export const duration = (seconds: number): string => `PT${seconds}S`;

/** Two digits that count, for an evaluation knows no more: 0.034, 1.1, 290. */
export const rough = (value: number): string => String(Number(value.toPrecision(2)));
export const percent = (share: number): string => `${Math.round(100 * share)}%`;

export const times = ({ value, lower, upper }: Estimate, n: number): Estimate => ({ value: value * n, lower: lower * n, upper: upper * n });
export const interval = ({ lower, upper }: Estimate, show: (value: number) => string): string => `${show(lower)}–${show(upper)}`;
