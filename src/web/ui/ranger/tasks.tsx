import { now } from '../shared/clock';
import { away, direction, headlineEvidence } from '../shared/describe';
import { clockFor, leading } from '../shared/incident';
import { pictureUrl } from '../shared/api';
import { classes, DrillWord, Failed, StateWord } from '../shared/ui';
import { MINUTE_MS, ms } from '../shared/time';
import { fromFireM, isPlace } from '../shared/where';
import { common } from '../shared/words';
import { here } from './gps';
import { connected, ended, open, sendNow, signedOut, stage, view } from './state';
import { toldAs } from './notice';
import { words } from './words';
import type { Step } from './outbox/item';
import type { RangerIncident, Stage } from '../shared/types';
import type { Mark } from '../shared/incident';

export const markOf: Record<Step, Mark> = { new: 'dispatched', acknowledged: 'acknowledged', arrived: 'arrived', reported: 'reported', closed: 'closed', declined: 'closed', asked: 'dispatched', told: 'needs_review', heard: 'acknowledged' };
export const nextOf: Partial<Record<Step, Stage>> = { new: 'acknowledged', acknowledged: 'arrived', arrived: 'reported' };

export function seenAgo({ first_seen_at }: RangerIncident): string {
  const w = words();
  const minutes = Math.max(0, Math.floor((now.value - ms(first_seen_at)) / MINUTE_MS));
  return w.seen(minutes < 120 ? w.minutes(minutes) : w.hours(Math.floor(minutes / 60)));
}

function howFar(incident: RangerIncident): string {
  if (!here.value) return '';
  return isPlace(incident.fix) ? direction(here.value.at, incident.fix.centre) : away(fromFireM(here.value.at, incident));
}

export function Tasks() {
  const w = words();
  if (!view.value) return connected.value ? <p class="quiet">{common().loading}</p> : <Failed words={signedOut.value ? w.signedOut : common().unreachable} retry={sendNow} />;
  return (
    <div class="list">
      {open.value.length === 0 && (
        <div class="nothing">
          <b>{w.noTasks}</b>
          <p>{w.noTasksHint}</p>
        </div>
      )}
      {open.value.map((incident) => (
        <Card key={incident.id} incident={incident} />
      ))}
      {ended.value.length > 0 && <h2>{w.closedToday}</h2>}
      {ended.value.map((incident) => (
        <Card key={incident.id} incident={incident} />
      ))}
    </div>
  );
}

function Card({ incident }: { incident: RangerIncident }) {
  const w = words();
  const at = stage(incident);
  const next = nextOf[at];
  const clock = next && incident.dispatch && clockFor(next, incident.dispatch, now.value);
  const picture = leading(incident)?.pictures[0];
  return (
    <a class={classes('task', `task-${at}`, incident.drill && 'striped')} href={`#/i/${incident.id}`} data-id={incident.id}>
      {picture && <img src={pictureUrl(picture, true)} alt="" width={96} height={72} />}
      <span class="task-text">
        <b>
          <DrillWord drill={incident.drill} />
          {incident.code} {incident.place.name}
        </b>
        <span class="quiet">{headlineEvidence(incident)}</span>
        <span class="quiet">{[seenAgo(incident), howFar(incident)].filter(Boolean).join(common().separator)}</span>
        <StateWord mark={markOf[at]} word={incident.mine === 'told' && at === 'told' ? toldAs(incident) : w.stage[at]} />
        {clock && <time class={clock.countdown.urgency}>{clock.countdown.text}</time>}
      </span>
    </a>
  );
}
