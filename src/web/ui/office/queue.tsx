/** The left column: who needs the officer first. */
import { board, brokenAt, cameras, loadBoard, problem, queue, readAt } from '../shared/board';
import { now } from '../shared/clock';
import { headlineEvidence } from '../shared/describe';
import { clockOf, groupOf, groups, leading, markOf, overdueOf, type Group } from '../shared/incident';
import { pictureUrl } from '../shared/api';
import { stale } from '../shared/stream';
import { clockTime, ms, span } from '../shared/time';
import { classes, DrillWord, Failed, Loading, StateWord } from '../shared/ui';
import { common } from '../shared/words';
import { Camera, Person, Satellite } from '../shared/icons';
import { isUnseen } from './alarm';
import { Badges, Led, PassedOn, Reminded, Unattended, Unreadable } from './strips';
import { select, selectedId } from './desk';
import { words } from './words';
import type { Incident } from '../shared/types';

export function Queue() {
  const w = words();
  return (
    <section class="queue" aria-label={w.queue}>
      <Unreadable />
      <Unattended />
      {board.value ? <Groups /> : problem.value ? <Failed words={problem.value} since={brokenAt.value} retry={() => void loadBoard()} /> : <Skeleton />}
      <PassedOn />
      <Reminded />
    </section>
  );
}

function Skeleton() {
  return (
    <Loading>
      {[0, 1, 2, 3].map((i) => (
        <div key={i} class="card skeleton" />
      ))}
    </Loading>
  );
}

function Groups() {
  const byGroup: Partial<Record<Group, Incident[]>> = {};
  for (const incident of queue.value) (byGroup[groupOf(incident, now.value)] ??= []).push(incident);
  if (queue.value.length === 0) return <Empty />;
  const w = words();
  return (
    <>
      {groups.map((group) => {
        const members = byGroup[group];
        return (
          members && (
            <div key={group}>
              <h2 class={`group group-${group}`}>
                {w.counts[group]} <b>{members.length}</b>
              </h2>
              <ul>
                {members.map((incident) => (
                  <li key={incident.id}>
                    <Card incident={incident} />
                    <Led by={incident} />
                  </li>
                ))}
              </ul>
            </div>
          )
        );
      })}
    </>
  );
}

function Empty() {
  const w = words();
  const well = board.value?.health.every((part) => part.ok) ?? true;
  // No news over a dead line is not good news.
  const cut = stale.value || problem.value !== null;
  return (
    <div class="empty">
      <b>{cut ? w.emptyAsOf(clockTime(readAt.value)) : w.empty}</b>
      {!cut && <p>{w.emptyHint(clockTime(readAt.value))}</p>}
      <p class={well && !cut ? 'well' : 'not-well'}>{cut ? w.unknown : well ? w.allWell : w.notWell}</p>
    </div>
  );
}

export function Card({ incident }: { incident: Incident }) {
  const w = words();
  const c = common();
  const t = now.value;
  const mark = markOf(incident, t);
  const late = overdueOf(incident, t);
  const clock = clockOf(incident, t);
  const picture = leading(incident)?.pictures[0];
  // Without a running clock: how long it has waited for the officer.
  return (
    <button
      type="button"
      class={classes('card', `card-${mark}`, incident.drill && 'striped')}
      aria-current={selectedId.value === incident.id}
      data-id={incident.id}
      data-state={incident.state}
      onClick={() => select(incident.id)}
    >
      <span class="thumb">{picture ? <img src={pictureUrl(picture, true)} alt="" loading="lazy" width={80} height={60} /> : <Kind incident={incident} />}</span>
      <span class="card-text">
        <span class="card-top">
          <b class="card-place">
            <DrillWord drill={incident.drill} />
            {incident.place.name}
          </b>
          {isUnseen(incident) && <em class="new">{w.unseen}</em>}
        </span>
        <span class="card-state">
          <StateWord mark={mark} word={late ? c.overdueStage[late] : c.state[incident.state]} />
          {clock ? (
            <time class={`card-clock ${clock.countdown.urgency}`}>{clock.countdown.text}</time>
          ) : (
            <time class="card-clock">{span(t - ms(incident.dispatch?.reported?.received_at ?? incident.opened_at))}</time>
          )}
        </span>
        <span class="card-evidence">{headlineEvidence(incident, cameras.value)}</span>
        <Badges incident={incident} />
      </span>
    </button>
  );
}

function Kind({ incident }: { incident: Incident }) {
  const kind = incident.sightings[0]?.source.kind;
  return kind === 'satellite' ? <Satellite size={26} /> : kind === 'person' ? <Person size={26} /> : <Camera size={26} />;
}
