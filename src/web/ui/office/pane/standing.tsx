/** Who has to act next, who is rung when nobody does, whom no message reached, who has answered. */
import { isTownship } from '../../shared/board';
import { now } from '../../shared/clock';
import { stamp } from '../../shared/describe';
import { Tick, Warning } from '../../shared/icons';
import { notReached } from '../../shared/incident';
import { half } from '../../shared/lang';
import { countdown, hourMinute, ms } from '../../shared/time';
import { classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { act } from '../desk';
import { ownerName, roleWord, whoIn } from '../say/people';
import { words } from '../words';
import { Call } from './place';
import type { Incident, Undelivered, Waiting } from '../../shared/types';

const SHOWN = 2;

export function Standing({ incident }: { incident: Incident }) {
  const reached = notReached(incident);
  return (
    <>
      {reached.slice(0, SHOWN).map((it) => (
        <NotReached key={it.last.message} {...it} incident={incident} />
      ))}
      {reached.length > SHOWN && (
        <details class="undelivered-more">
          <summary>{words().undeliveredCount(reached.length - SHOWN)}</summary>
          {reached.slice(SHOWN).map((it) => (
            <NotReached key={it.last.message} {...it} incident={incident} />
          ))}
        </details>
      )}
      <OwnerLine incident={incident} />
      {isTownship.value && incident.owes_answer && (
        <button type="button" class="button button-green button-wide" data-action="heard" onClick={() => act(incident, 'acknowledge', {}, words().heard)}>
          {words().heard}
        </button>
      )}
      <Answers incident={incident} />
    </>
  );
}

function OwnerLine({ incident }: { incident: Incident }) {
  const w = words();
  const { owner } = incident;
  // What rings only after the whole ladder is said once it has rung.
  const rings = incident.waiting.filter((it) => it.matter !== 'overdue' || it.rounds > 0);
  if (!owner) return null;
  const { name, phone } = ownerName(owner, incident);
  const led = owner.task === 'led';
  const left = led ? null : countdown(ms(owner.until), now.value);
  const task = owner.task === 'step' ? w.toDo[owner.of] : owner.task === 'matter' ? w.matter[owner.of] : w.led;
  return (
    <div class="owner" data-owner={owner.task}>
      <p>
        <span class="dim">{w.owner}</span> <b>{name}</b> {phone && <Call phone={phone} />} {task}
        {left && <time class={classes('owner-clock', left.urgency)}>{`${hourMinute(ms(owner.until))} · ${left.text}`}</time>}
      </p>
      {rings.map((it) => (
        <p key={it.matter} class="dim">
          {ring(it)}
        </p>
      ))}
    </div>
  );
}

function ring(it: Waiting): string {
  const w = words();
  const at = hourMinute(ms(it.due_at));
  return it.rounds > 0 ? w.ringAgain(w.matter[it.matter], it.rounds, at) : w.ringFirst(w.matter[it.matter], at);
}

function NotReached({ last: it, messages, incident }: { last: Undelivered; messages: string[]; incident: Incident }) {
  const w = words();
  const whom = it.name || w.nobodyAs(roleWord(it.role));
  const next = it.next;
  const then = next && w.triedNext(whoIn(next.role, next.person, incident), w.channel[next.channel]);
  return (
    <div class="undelivered" role="group" aria-label={`${w.undelivered} ${whom}`} data-message={it.message}>
      <p>
        <Warning size={15} /> <b>{w.undelivered}</b> <b>{whom}</b> {it.name && roleWord(it.role)} <Call phone={it.phone} />
      </p>
      <p>
        {`${stamp(it.at, now.value)} · ${w.channel[it.channel]} · ${half(it.why)}`}
        {messages.length > 1 && ` · ${w.attempts(messages.length)}`}
      </p>
      <p>{then ?? w.triedNoMore}</p>
      {(it.name || !isTownship.value) && (
        <button type="button" class="button" onClick={() => messages.forEach((message) => act(incident, 'undelivered', { message }, w.toldByPhone))}>
          {w.toldByPhone}
        </button>
      )}
    </div>
  );
}

function Answers({ incident: { answers } }: { incident: Incident }) {
  const w = words();
  if (answers.length === 0) return null;
  return (
    <ul class="answers" aria-label={w.answers}>
      {answers.map((it) => (
        <li key={it.person.id + it.at}>
          <Tick size={13} /> {w.answered(it.person.name, roleWord(it.role), stamp(it.at, now.value), common().means[it.means.means])}
        </li>
      ))}
    </ul>
  );
}
