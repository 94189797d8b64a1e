/** The bottom edge: one big primary, what may be needed at any stage above it. A new primary is deaf for 1.5 s, against double taps. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { now } from '../shared/clock';
import { away } from '../shared/describe';
import { amap, baidu, geo, tencent } from '../shared/navigation';
import { classes, CopyButton } from '../shared/ui';
import { coordinates, direct, fixCoordinates, goal } from '../shared/where';
import { common } from '../shared/words';
import { here } from './gps';
import { Shoot } from './photos';
import { proof } from './proof';
import { go, tap, view } from './state';
import { words } from './words';
import type { Step } from './outbox/item';
import type { LatLon, RangerIncident } from '../shared/types';

const DEAF_MS = 1500;

type Sheet = 'decline' | 'support' | 'navigate' | null;

export function Dock({ incident, at }: { incident: RangerIncident; at: Step }) {
  const w = words();
  const [sheet, setSheet] = useState<Sheet>(null);
  const deaf = useDeaf(at);
  const phone = view.value?.duty_phone;
  const claimed = incident.dispatch?.claimed && !incident.dispatch.arrived;
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
  // A ranger who has reported was there: only before the report can he say that he cannot go.
  const help = (
    <div class="pair">
      {at !== 'reported' && (
        <button type="button" class="secondary" data-secondary="decline" onClick={() => setSheet('decline')}>
          {w.cannotGo}
        </button>
      )}
      <button type="button" class="secondary" data-secondary="support" onClick={() => setSheet('support')}>
        {w.support}
      </button>
    </div>
  );
  if (sheet === 'decline') return <Decline incident={incident} done={() => setSheet(null)} />;
  if (sheet === 'support') return <Support incident={incident} done={() => setSheet(null)} />;
  if (sheet === 'navigate') return <Navigate incident={incident} done={() => setSheet(null)} />;
  switch (at) {
    case 'new':
      return (
        <div class="dock">
          {help}
          {primary(w.acknowledge, 'red', () => tap('acknowledge', incident))}
        </div>
      );
    case 'acknowledged':
      return (
        <div class="dock">
          <button type="button" class="secondary" onClick={() => setSheet('navigate')}>
            {w.navigate}
          </button>
          {help}
          <Proof incident={incident} />
          {primary(w.arrive, 'blue', () => tap('arrive', incident))}
        </div>
      );
    case 'asked':
    case 'told':
      return (
        <div class="dock">
          <Call phone={phone} />
          {primary(at === 'asked' ? w.goMyself : w.heard, at === 'asked' ? 'red' : 'blue', () => tap('acknowledge', incident))}
        </div>
      );
    case 'arrived':
      return (
        <div class="dock">
          {claimed ? (
            <>
              {here.value && <Proof incident={incident} />}
              <div class="pair">
                <button type="button" class="secondary" data-secondary="arrive-again" onClick={() => tap('arrive', incident)}>
                  {w.arriveAgain}
                </button>
                <Call phone={phone} />
              </div>
            </>
          ) : (
            <Call phone={phone} />
          )}
          {help}
          {primary(w.report, 'green', () => go(`/i/${incident.id}/report`))}
        </div>
      );
    case 'reported':
      return (
        <div class="dock">
          {incident.mine === 'sent' && <Shoot taken={0} word={w.photoAdd} onPhoto={(photo) => tap('photo', incident, {}, photo)} />}
          {incident.mine === 'sent' && help}
          <Call phone={phone} />
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
  const [deaf, setDeaf] = useState(false);
  const moved = before.current !== at;
  useEffect(() => {
    if (!moved) return;
    before.current = at;
    setDeaf(true);
    const timer = setTimeout(() => setDeaf(false), DEAF_MS);
    return () => clearTimeout(timer);
  }, [at]);
  return moved || deaf;
}

/** Before the tap: how far it is, and whether the tap will prove anything. It never stands in the way. */
function Proof({ incident }: { incident: RangerIncident }) {
  const w = words();
  void now.value;
  const { metres, lacks } = proof(incident, here.value, view.value?.arrival);
  return (
    <p class={classes('proof', lacks && 'proof-lacks')} data-proof={lacks ?? 'proven'}>
      {metres !== null && <span>{away(metres)}</span>}
      {lacks && <b>{w.onlyClaimed(common().unproven[lacks])}</b>}
    </p>
  );
}

/** Two taps, the second of which says what it does: the office is rung at once, and that cannot be taken back. */
function Decline({ incident, done }: { incident: RangerIncident; done: () => void }) {
  const w = words();
  const [reason, choose] = useState<string | null>(null);
  const sure = (): void => {
    done();
    tap('decline', incident, { reason });
  };
  if (reason === null) return <Reasons title={w.cannotGoWhy} reasons={w.cannotGoReasons} onChoose={choose} done={done} />;
  return (
    <div class="dock dock-sheet">
      <p class="dock-title">{w.cannotGoSure(reason)}</p>
      <div class="grid2">
        <button type="button" class="secondary strong" onClick={done}>
          {w.back}
        </button>
        <button type="button" class="secondary" data-secondary="decline-sure" onClick={sure}>
          {w.cannotGoYes}
        </button>
      </div>
    </div>
  );
}

function Support({ incident, done }: { incident: RangerIncident; done: () => void }) {
  const w = words();
  const ask = (reason: string): void => {
    done();
    tap('support', incident, { reason });
  };
  return <Reasons title={w.supportWhat} reasons={w.supportNeeds} onChoose={ask} done={done} />;
}

interface ReasonsProps {
  title: string;
  reasons: readonly string[];
  onChoose: (reason: string) => void;
  done: () => void;
}

function Reasons({ title, reasons, onChoose, done }: ReasonsProps) {
  return (
    <div class="dock dock-sheet">
      <p class="dock-title">{title}</p>
      <div class="grid2">
        {reasons.map((reason) => (
          <button key={reason} type="button" class="secondary" data-reason={reason} onClick={() => onChoose(reason)}>
            {reason}
          </button>
        ))}
        <button type="button" class="secondary strong" onClick={done}>
          {words().back}
        </button>
      </div>
    </div>
  );
}

/** To the fire where its place is known; else to the mast, with the bearing to look along. */
function Navigate({ incident, done }: { incident: RangerIncident; done: () => void }) {
  const w = words();
  const target = goal(incident);
  const point = target && (target.to === 'fire' ? fixCoordinates(incident.fix) : coordinates(target.at, 4));
  return (
    <div class="dock dock-sheet">
      {target?.to === 'mast' && <p>{w.toMast(target.name ?? w.mast, direct(incident.fix, incident.sightings) ?? '')}</p>}
      {target && point ? (
        <>
          <p class="dock-title" data-goal={target.to}>
            {target.to === 'mast' ? w.mastPosition : w.position} {point} <CopyButton text={point} />
          </p>
          <Maps at={target.at} name={target.to === 'mast' ? (target.name ?? w.mast) : incident.place.name} done={done} />
        </>
      ) : (
        <p class="dock-title">{w.nowhere}</p>
      )}
      <button type="button" class="secondary strong" onClick={done}>
        {common().close}
      </button>
    </div>
  );
}

function Maps({ at, name, done }: { at: LatLon; name: string; done: () => void }) {
  const w = words();
  const links: [string, string][] = [
    [w.amap, amap(at, name)],
    [w.baidu, baidu(at, name)],
    [w.tencent, tencent(at, name)],
  ];
  return (
    <div class="grid2">
      {links.map(([map, link]) => (
        <a key={map} class="secondary" href={link} target="_blank" rel="noreferrer" onClick={done}>
          {map}
        </a>
      ))}
      <a class="secondary" href={geo(at, name)} onClick={done}>
        {w.otherMap}
      </a>
    </div>
  );
}
