/** How the evidence of the places that alarm rose, each from its first look, against the limit. */
import { ms } from '../shared/time';
import { words } from './words';
import type { Rise } from '../shared/types';

const WIDTH = 600;
const HEIGHT = 120;

export function Rises({ rises, limit }: { rises: readonly Rise[]; limit: number }) {
  const w = words();
  const lines = rises.map(({ steps }) => steps.map((it) => [(ms(it.at) - ms(steps[0]?.at ?? it.at)) / 1000, it.evidence] as const));
  if (lines.length === 0) return null;
  const longest = Math.max(60, ...lines.flat().map(([seconds]) => seconds));
  const highest = Math.max(limit * 1.25, ...lines.flat().map(([, evidence]) => evidence));
  const x = (seconds: number): number => (WIDTH * seconds) / longest;
  const y = (evidence: number): number => HEIGHT - (HEIGHT * evidence) / highest;
  return (
    <figure class="rises">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={w.rises(lines.length, limit.toFixed(1), Math.round(longest))} data-rises={lines.length}>
        {lines.map((line, i) => (
          <polyline key={i} points={line.map(([seconds, evidence]) => `${x(seconds).toFixed(1)},${y(evidence).toFixed(1)}`).join(' ')} />
        ))}
        <line class="limit" x1={0} x2={WIDTH} y1={y(limit)} y2={y(limit)} />
      </svg>
      <figcaption class="quiet">{w.rises(lines.length, limit.toFixed(1), Math.round(longest))}</figcaption>
    </figure>
  );
}
