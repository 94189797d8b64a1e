/** One incident on the phone: what, where, how long, and one big button. */
import { useState } from 'preact/hooks';
import { pictureUrl } from '../shared/api';
import { now } from '../shared/clock';
import { arrival, away, direction, headlineEvidence } from '../shared/describe';
import { clockFor, leading } from '../shared/incident';
import { clockTime, ms } from '../shared/time';
import { BoxOverlay, classes, DrillWord, StateWord } from '../shared/ui';
import { direct, fromFireM, goal, isPlace } from '../shared/where';
import { common } from '../shared/words';
import { Dock } from './dock';
import { here } from './gps';
import { Asked, Moved } from './notice';
import { items, stage } from './state';
import { markOf, nextOf, seenAgo } from './tasks';
import { words } from './words';
import type { Step } from './outbox/item';
import type { RangerIncident } from '../shared/types';

export function IncidentPage({ incident }: { incident: RangerIncident }) {
  const at = stage(incident);
  return (
    <div class={classes('incident', incident.drill && 'striped')} data-id={incident.id} data-stage={at}>
      <div class="scroll">
        <Frame incident={incident} />
        <div class="what">
          <h1>
            <DrillWord drill={incident.drill} />
            {incident.code} {incident.place.name}
          </h1>
          {isPlace(incident.fix) && <p class="evidence">{headlineEvidence(incident)}</p>}
          <p class="evidence">{whereFrom(incident)}</p>
          <p class="evidence">{seenAgo(incident)}</p>
        </div>
        <Moved incident={incident} />
        <Asked incident={incident} at={at} />
        <Asking incident={incident} />
        <Clock incident={incident} at={at} />
        <Possible incident={incident} />
        {(at === 'acknowledged' || at === 'arrived') && <p class="safety">{words().safety}</p>}
      </div>
      <Dock incident={incident} at={at} />
    </div>
  );
}

function whereFrom(incident: RangerIncident): string {
  const w = words();
  const { fix, sightings } = incident;
  const from = here.value;
  const metres = Math.round(fix.radius_m);
  if (isPlace(fix)) return from ? w.fromHere(direction(from.at, fix.centre), metres) : w.uncertain(metres);
  return [goal(incident)?.name, direct(fix, sightings), from && w.youAre(away(fromFireM(from.at, incident)))].filter(Boolean).join(common().separator);
}

/** What this phone has asked for, and whether the office has it. */
function Asking({ incident: { id, state } }: { incident: RangerIncident }) {
  const w = words();
  const asked = items.value.filter((item) => item.kind === 'support' && item.incident === id && item.refused === null);
  const last = asked[asked.length - 1];
  if (!last || state === 'closed') return null;
  return (
    <div class="notice" data-notice="support">
      <b>{w.supportAsked(String(last.body['reason']))}</b>
      <p>{last.deliveredAt === null ? w.waiting : w.delivered}</p>
    </div>
  );
}

/** Grids along the bearing: a ranger who knows the land looks there first. */
function Possible({ incident: { fix, place } }: { incident: RangerIncident }) {
  const candidates = place.candidates ?? [];
  if (isPlace(fix) || candidates.length === 0) return null;
  return (
    <div class="possible">
      <b>{words().possible}</b>
      <ul>
        {candidates.map((it) => (
          <li key={it.grid}>
            {it.name} <span>{`${Math.round(it.weight * 100)}%`}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The crop first: 15 kB that show the smoke. The whole frame only when asked for. */
function Frame({ incident }: { incident: RangerIncident }) {
  const w = words();
  const [whole, setWhole] = useState(false);
  const sighting = leading(incident);
  const picture = sighting?.pictures[0];
  if (!sighting || !picture) return null;
  const { source } = sighting;
  return (
    <button type="button" class="photo" onClick={() => setWhole(!whole)}>
      <img src={pictureUrl(picture, !whole)} alt={w.picture} class={whole ? 'photo-whole' : ''} />
      {whole && source.kind === 'camera' && <BoxOverlay bbox={source.bbox} />}
      <span class="photo-hint">{whole ? w.small : w.large}</span>
    </button>
  );
}

function Clock({ incident, at }: { incident: RangerIncident; at: Step }) {
  const w = words();
  const c = common();
  const next = nextOf[at];
  const { dispatch } = incident;
  const claimed = dispatch?.claimed;
  const unproven = at === 'arrived' && claimed && !dispatch.arrived;
  const returned = at === 'arrived' && incident.verification !== null;
  if (!next || !dispatch) return <Done incident={incident} at={at} />;
  const { urgency, text } = clockFor(next, dispatch, now.value).countdown;
  const word = urgency === 'overdue' ? c.overdue : urgency === 'soon' ? c.soon : c.left;
  return (
    <div class={classes('giant', urgency)}>
      <StateWord mark={urgency === 'overdue' ? 'overdue' : markOf[at]} word={w.stage[at]} />
      <time role="timer">{text}</time>
      <span class="giant-word">
        {w.limit(w.clock[at as 'new'], word)}
      </span>
      {unproven && <p class="returned" data-claimed={claimed.unproven}>{w.toldUnproven(arrival(claimed))}</p>}
      {returned && <p class="returned">{incident.sent_back ? w.sentBackWhy(incident.sent_back) : isInterim(incident) ? w.interim : w.sentBack}</p>}
    </div>
  );
}

/** Code 10 of the official list: still checking. Until the final report the incident stays with the ranger. */
const isInterim = (incident: RangerIncident): boolean => incident.verification?.category === 10;

function Done({ incident, at }: { incident: RangerIncident; at: Step }) {
  const w = words();
  const reported = incident.dispatch?.reported;
  const queued = items.value.some((item) => item.incident === incident.id && item.kind === 'report' && item.deliveredAt === null);
  return (
    <div class="giant">
      {incident.mine === 'sent' || at === 'closed' ? <StateWord mark={markOf[at]} word={at === 'reported' && reported ? w.reportedAt(clockTime(ms(reported.received_at))) : w.stage[at]} /> : null}
      {at === 'reported' && <p class="quiet">{queued ? w.queuedMark : w.thanks}</p>}
    </div>
  );
}
