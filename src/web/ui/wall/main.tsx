/** The wall: readable from across the room. Green and the time, or red and what waits. It takes no input. */
import '../shared/base.css';
import './wall.css';
import { render } from 'preact';
import { problem, queue, readAt, startBoard, board } from '../shared/board';
import { now, startTicking } from '../shared/clock';
import { date } from '../shared/describe';
import { MarkIcon } from '../shared/icons';
import { clockOf, markOf, overdueOf } from '../shared/incident';
import { announceLang } from '../shared/lang';
import { stale } from '../shared/stream';
import { clockTime, ms, span } from '../shared/time';
import { classes, DrillWord } from '../shared/ui';
import { common } from '../shared/words';
import { partName } from '../office/say/parts';
import { words } from '../office/words';
import { wallState, type WallState } from './state';
import type { Incident } from '../shared/types';

const SHOWN = 4;

function Wall() {
  const w = words();
  const state = wallState({ board: board.value, queue: queue.value, stale: stale.value, failing: problem.value !== null, now: now.value });
  const { tone, waiting } = state;
  return (
    <main class={`wall wall-${tone}`} data-tone={tone}>
      <header>
        <span>{board.value?.county.name}</span>
        <span>{date(now.value)}</span>
      </header>
      {tone === 'lost' && <Big word={w.wallLost} small={readAt.value > 0 ? common().staleSince(clockTime(readAt.value)) : (problem.value ?? common().loading)} />}
      {tone === 'unwell' && <Big word={w.wallUnwell} small={queue.value.length > 0 ? w.wallIncidents(queue.value.length) : w.empty} />}
      {tone === 'calm' && <Big word={w.wallNormal} small={queue.value.length > 0 ? w.wallIncidents(queue.value.length) : w.empty} />}
      {tone === 'alarm' && (
        <section class="wall-list">
          <h1>{w.wallWaiting(waiting.length)}</h1>
          <ul>
            {waiting.slice(0, SHOWN).map((incident) => (
              <Line key={incident.id} incident={incident} />
            ))}
          </ul>
          {waiting.length > SHOWN && <p>{w.wallMore(waiting.length - SHOWN)}</p>}
        </section>
      )}
      <Troubles of={state} />
      <time class="wall-clock">{clockTime(now.value)}</time>
    </main>
  );
}

/** Said under every tone: an alarm must not hide that half the county is not seen. */
function Troubles({ of: { tone, blind, cameras, parts } }: { of: WallState }) {
  const w = words();
  // Without a call the tone `lost` says it already.
  const old = (stale.value || problem.value !== null) && tone === 'alarm';
  const all = [...(old ? [common().staleSince(clockTime(readAt.value))] : []), ...(blind > 0 ? [w.wallBlind(blind, cameras)] : []), ...parts.map((part) => w.partProblem(partName(part), ''))];
  return <p class="wall-troubles">{all.join(' · ')}</p>;
}

function Big({ word, small }: { word: string; small: string }) {
  return (
    <section class="wall-big">
      <h1>{word}</h1>
      <p>{small}</p>
    </section>
  );
}

function Line({ incident }: { incident: Incident }) {
  const c = common();
  const late = overdueOf(incident, now.value);
  const clock = clockOf(incident, now.value);
  return (
    <li class={classes(incident.drill && 'wall-drill')}>
      <MarkIcon mark={markOf(incident, now.value)} size={44} />
      <b>
        <DrillWord drill={incident.drill} />
        {incident.place.name}
      </b>
      <span>{late ? c.overdueStage[late] : c.state[incident.state]}</span>
      <time>{clock ? clock.countdown.text : span(now.value - ms(incident.opened_at))}</time>
    </li>
  );
}

announceLang();
startTicking();
void startBoard();
render(<Wall />, document.getElementById('app')!);
