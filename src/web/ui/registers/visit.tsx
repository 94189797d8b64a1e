/** A camera is looked at from the form, before it is registered: its picture, or what is wrong; and where it looks, by points whose places are known. */
import { useEffect, useState } from 'preact/hooks';
import { post } from '../shared/api';
import { toWgs84 } from '../shared/datum';
import { failure } from '../shared/describe';
import { parsePlace } from '../shared/place';
import { entryOf, type Cells } from './rows';
import { words } from './words';
import type { AimView, Datum, LatLon, VisitView } from '../shared/types';

/** The program looks for 25 s at most. */
const VISIT_TIMEOUT_MS = 40_000;

const datums: readonly Datum[] = ['wgs84', 'gcj02', 'bd09'];

interface Mark {
  x: number;
  y: number;
  place: string;
}

interface Props {
  cells: Cells;
  edit: (change: Cells) => void;
}

export function CameraVisit({ cells, edit }: Props) {
  const w = words();
  const [busy, setBusy] = useState(false);
  const [seen, setSeen] = useState<{ of: string; visit: VisitView } | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  // Another address is another camera: its picture is not this one's.
  const of = [cells['url'], cells['user'], cells['pipeline']].join(' ');
  const look = async (): Promise<void> => {
    setBusy(true);
    setWrong(null);
    try {
      setSeen({ of, visit: await post<VisitView>('/cameras/visit', { entry: entryOf(cells, null) }, { timeoutMs: VISIT_TIMEOUT_MS }) });
    } catch (error) {
      setSeen(null);
      setWrong(failure(error));
    }
    setBusy(false);
  };
  return (
    <section class="visit">
      <button type="button" class="button" data-action="visit" disabled={busy || !cells['url']?.trim()} onClick={() => void look()}>
        {busy ? w.visiting : w.visit}
      </button>
      {wrong && (
        <p class="refused" role="alert">
          {wrong}
        </p>
      )}
      {seen?.of === of && <Seen seen={seen.visit} cells={cells} edit={edit} />}
    </section>
  );
}

function Seen({ seen, cells, edit }: Props & { seen: VisitView }) {
  const w = words();
  const { picture, width, height, keyframe_every_s: every } = seen;
  const facts = [width && height && w.visitSize(width, height), every !== null && every !== undefined && w.visitKeyframes(every)].filter(Boolean);
  return (
    <>
      <p class={seen.words ? 'refused' : 'quiet'} role="status" data-visit={seen.health}>
        {seen.words ?? (picture ? w.visitFine : w.visitNothing)}
      </p>
      {facts.length > 0 && <p class="quiet">{facts.join(' · ')}</p>}
      {picture && width && height && <Aim key={picture} url={`data:image/jpeg;base64,${picture}`} aspect={width / height} cells={cells} edit={edit} />}
    </>
  );
}

/** Presses in the picture become points; two with their places tell where the camera looks and how wide. */
function Aim({ url, aspect, cells, edit }: Props & { url: string; aspect: number }) {
  const w = words();
  const [marks, setMarks] = useState<readonly Mark[]>([]);
  const [found, setFound] = useState<AimView | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [datum, setDatum] = useState<Datum>('wgs84');
  // What was reckoned from other figures than those in the form is void.
  useEffect(() => setFound(null), [cells['longitude'], cells['latitude'], cells['tilt'], cells['fieldofview'], datum]);
  const change = (next: readonly Mark[]): void => {
    setMarks(next);
    setFound(null);
    setWrong(null);
  };
  const press = (event: MouseEvent & { currentTarget: HTMLElement }): void => {
    const box = event.currentTarget.getBoundingClientRect();
    if (marks.length < 8) change([...marks, { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height, place: '' }]);
  };
  const points = pointsOf(marks, datum);
  const solve = async (): Promise<void> => {
    setWrong(null);
    try {
      setFound(await post<AimView>('/cameras/aim', { entry: entryOf(cells, null), aspect, points }));
    } catch (error) {
      setFound(null);
      setWrong(failure(error));
    }
  };
  const take = (aim: AimView): void => edit(aimed(aim, marks.length > 1));
  return (
    <>
      <div class="visit-picture" data-action="mark" onClick={press}>
        <img src={url} alt={w.visitPicture} />
        {marks.map(({ x, y }, at) => (
          <span key={at} class="visit-mark" style={{ left: `${x * 100}%`, top: `${y * 100}%` }}>
            {at + 1}
          </span>
        ))}
      </div>
      <p class="quiet">{w.aimHint}</p>
      {marks.length > 0 && (
        <label class="input">
          <span>{w.aimDatum}</span>
          <select value={datum} data-field="datum" onChange={(event) => setDatum(event.currentTarget.value as Datum)}>
            {datums.map((it) => (
              <option key={it} value={it}>
                {w.datums[it]}
              </option>
            ))}
          </select>
        </label>
      )}
      {marks.map((mark, at) => (
        <div key={at} class="visit-point">
          <label class="input">
            <span>{w.aimPoint(at + 1)}</span>
            <input data-point={at} value={mark.place} placeholder="28.45012, 110.39876" inputMode="decimal" onInput={(event) => change(marks.map((it, i) => (i === at ? { ...it, place: event.currentTarget.value } : it)))} />
          </label>
          <button type="button" class="link" onClick={() => change(marks.filter((_, i) => i !== at))}>
            {w.aimDrop}
          </button>
        </div>
      ))}
      {marks.length > 0 && (
        <button type="button" class="button" data-action="aim" disabled={points === null} onClick={() => void solve()}>
          {w.aim}
        </button>
      )}
      {wrong && (
        <p class="refused" role="alert">
          {wrong}
        </p>
      )}
      {found && (
        <p role="status">
          {w.aimed(found.azimuth_deg, found.azimuth_error_deg, found.field_of_view_deg)}{' '}
          <button type="button" class="button button-blue" data-action="take-aim" onClick={() => take(found)}>
            {w.aimTake}
          </button>
        </p>
      )}
    </>
  );
}

/** Pure: the points with their places; null while one of them has none. */
export function pointsOf(marks: readonly Mark[], datum: Datum = 'wgs84'): { x: number; y: number; at: LatLon }[] | null {
  const placed = marks.flatMap(({ x, y, place }) => {
    const at = parsePlace(place);
    return at ? [{ x, y, at: toWgs84(datum, at) }] : [];
  });
  return placed.length === marks.length && placed.length > 0 ? placed : null;
}

/** Pure: the cells that an aim fills. One point says nothing of the field of view. */
export function aimed(aim: AimView, isWide: boolean): Cells {
  const tenth = (value: number): string => String(Number(value.toFixed(1)));
  return { azimuth: tenth(Number(aim.azimuth_deg.toFixed(1)) % 360), azimutherror: tenth(Math.max(aim.azimuth_error_deg, 0.1)), ...(isWide ? { fieldofview: tenth(aim.field_of_view_deg) } : {}) };
}
