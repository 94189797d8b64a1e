/** The bottom edge: one big primary, at most one secondary above it. A new primary is deaf for 1.5 s, against double taps. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { coordinates, distance } from '../shared/describe';
import { distanceM, toGcj02 } from '../shared/geo';
import { classes, CopyButton } from '../shared/ui';
import { common } from '../shared/words';
import { known } from './gps';
import { go, tap, view } from './state';
import { words } from './words';
import type { Step } from './outbox/item';
import type { Incident } from '../shared/types';

const DEAF_MS = 1500;
/** Arrival is believed within the fix's radius or this, whichever is larger; the server's rule is the same. */
const ARRIVAL_M = 500;

type Sheet = 'decline' | 'navigate' | 'far' | null;

export function Dock({ incident, at }: { incident: Incident; at: Step }) {
  const w = words();
  const [sheet, setSheet] = useState<Sheet>(null);
  const deaf = useDeaf(at);
  const phone = view.value?.duty_phone;
  const primary = (name: string, colour: string, press: () => void) => (
    <button
      type="button"
      class={classes('primary', colour, deaf && 'deaf')}
      aria-disabled={deaf}
      data-primary={at}
      onClick={() => {
        if (!deaf) press();
      }}
    >
      {name}
    </button>
  );
  const far = distanceTo(incident);
  const arrive = (): void => {
    if (far !== null && far > Math.max(ARRIVAL_M, incident.fix.radius_m)) setSheet('far');
    else void tap('arrive', incident);
  };
  if (sheet === 'decline') return <Decline incident={incident} done={() => setSheet(null)} />;
  if (sheet === 'navigate') return <Navigate incident={incident} done={() => setSheet(null)} />;
  if (sheet === 'far' && far !== null && at === 'acknowledged') return <Far incident={incident} metres={far} done={() => setSheet(null)} />;
  switch (at) {
    case 'new':
      return (
        <div class="dock">
          <button type="button" class="secondary" data-secondary="decline" onClick={() => setSheet('decline')}>
            {w.cannotGo}
          </button>
          {primary(w.acknowledge, 'red', () => void tap('acknowledge', incident))}
        </div>
      );
    case 'acknowledged':
      return (
        <div class="dock">
          <button type="button" class="secondary" onClick={() => setSheet('navigate')}>
            {w.navigate}
          </button>
          {primary(w.arrive, 'blue', arrive)}
        </div>
      );
    case 'arrived':
      return (
        <div class="dock">
          <Call phone={phone} />
          {primary(w.report, 'green', () => go(`/i/${incident.id}/report`))}
        </div>
      );
    default:
      return (
        <div class="dock">
          <Call phone={phone} />
        </div>
      );
  }
}

function Call({ phone }: { phone: string | null | undefined }) {
  const w = words();
  return phone ? (
    <a class="secondary" href={`tel:${phone}`}>
      {w.call}
    </a>
  ) : (
    <span class="secondary quiet">{w.noDutyPhone}</span>
  );
}

/** True for a moment after the stage moved on under the ranger's thumb; not when the page opens. */
function useDeaf(at: Step): boolean {
  const before = useRef(at);
  const [until, setUntil] = useState(0);
  const moved = before.current !== at;
  useEffect(() => {
    if (!moved) return;
    before.current = at;
    setUntil(Date.now() + DEAF_MS);
    const timer = setTimeout(() => setUntil(0), DEAF_MS);
    return () => clearTimeout(timer);
  }, [at]);
  return moved || Date.now() < until;
}

function distanceTo(incident: Incident): number | null {
  const from = known();
  return from && distanceM(from.at, incident.fix.centre);
}

function Far({ incident, metres, done }: { incident: Incident; metres: number; done: () => void }) {
  const w = words();
  const away = distance(metres);
  const arrive = (): void => {
    done();
    void tap('arrive', incident, { reason: w.arrivedFar(away) });
  };
  return (
    <div class="dock dock-sheet">
      <p class="dock-title">{w.far(away)}</p>
      <div class="pair">
        <button type="button" class="secondary" onClick={done}>
          {w.notYet}
        </button>
        <button type="button" class="secondary strong" data-secondary="arrive-far" onClick={arrive}>
          {w.arriveAnyway}
        </button>
      </div>
    </div>
  );
}

function Decline({ incident, done }: { incident: Incident; done: () => void }) {
  const w = words();
  return (
    <div class="dock dock-sheet">
      <p class="dock-title">{w.cannotGoWhy}</p>
      <div class="grid2">
        {w.cannotGoReasons.map((reason) => (
          <button
            key={reason}
            type="button"
            class="secondary"
            onClick={() => {
              done();
              void tap('decline', incident, { reason });
            }}
          >
            {reason}
          </button>
        ))}
        <button type="button" class="secondary strong" onClick={done}>
          {w.back}
        </button>
      </div>
    </div>
  );
}

function Navigate({ incident, done }: { incident: Incident; done: () => void }) {
  const w = words();
  const at = incident.fix.centre;
  // AMap counts in GCJ-02; converted here, so that nothing depends on how its link reads other systems.
  const shifted = toGcj02(at);
  const name = encodeURIComponent(incident.place.name);
  const amap = `https://uri.amap.com/navigation?to=${shifted.lon_deg.toFixed(6)},${shifted.lat_deg.toFixed(6)},${name}&mode=car&coordinate=gaode&callnative=1&src=huoyan`;
  return (
    <div class="dock dock-sheet">
      <p class="dock-title">
        {w.position} {coordinates(at)} <CopyButton text={coordinates(at)} />
      </p>
      <div class="grid2">
        <a class="secondary" href={amap} target="_blank" rel="noreferrer" onClick={done}>
          {w.amap}
        </a>
        <a class="secondary" href={`geo:${at.lat_deg},${at.lon_deg}?q=${at.lat_deg},${at.lon_deg}(${name})`} onClick={done}>
          {w.otherMap}
        </a>
      </div>
      <button type="button" class="secondary strong" onClick={done}>
        {common().close}
      </button>
    </div>
  );
}
