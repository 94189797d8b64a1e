/** The county's grids as lines, one of them filled, or a point; a press on it gives a place. */
import { useMemo } from 'preact/hooks';
import { frame, paths, placeAt, type Frame } from './outline';
import { grids } from './state';
import type { Cells } from './rows';
import { words } from './words';

const WIDTH = 372;

interface Props {
  code: string | null;
  at: Cells | null;
  pick: ((place: Cells) => void) | null;
  /** Opens the grid that was pressed; from the keyboard the table does. */
  open: ((code: string) => void) | null;
}

export function CountyShape({ code, at, pick, open }: Props) {
  const w = words();
  const drawn = useMemo(() => {
    const features = (grids.value?.items ?? []).map((it) => ({ key: it.key, geometry: (it.entry as { geometry?: GeoJSON.Geometry }).geometry }));
    const of = frame(features.flatMap(({ geometry }) => (geometry ? [geometry] : [])), WIDTH);
    return of && { of, list: features.map(({ key, geometry }) => ({ key, path: geometry ? paths(geometry, of) : '' })) };
  }, [grids.value]);
  if (!drawn) return null;
  const point = at && pointOf(at, drawn.of);
  return (
    <figure class="shape">
      <svg
        viewBox={`0 0 ${WIDTH} ${drawn.of.height}`}
        role="img"
        aria-label={w.map}
        class={pick ? 'pickable' : open ? 'openable' : ''}
        onClick={(event) => {
          const grid = (event.target as Element).getAttribute('data-grid');
          if (grid !== null) open?.(grid);
          const box = event.currentTarget.getBoundingClientRect();
          pick?.(placeAt(((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * drawn.of.height, drawn.of));
        }}
      >
        {drawn.list.map(({ key, path }) => (
          <path key={key} d={path} data-grid={key} class={key === code ? 'grid grid-chosen' : 'grid'} />
        ))}
        {point && (
          <g class="spot">
            <circle cx={point.x} cy={point.y} r="9" />
            <circle cx={point.x} cy={point.y} r="3" />
          </g>
        )}
      </svg>
      {pick && <figcaption class="quiet">{w.mapPick}</figcaption>}
    </figure>
  );
}

function pointOf(at: Cells, of: Frame): { x: number; y: number } | null {
  const [lon, lat] = [Number(at['longitude']), Number(at['latitude'])];
  if (!at['longitude'] || !at['latitude'] || !Number.isFinite(lon) || !Number.isFinite(lat)) return null;
  return { x: of.x(lon), y: of.y(lat) };
}
