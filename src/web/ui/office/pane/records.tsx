/** Why it stands where it stands, who was told, what happened. */
import { useState } from 'preact/hooks';
import { board, cameras, loadIncident, unread } from '../../shared/board';
import { now } from '../../shared/clock';
import { get } from '../../shared/api';
import { failure, stamp } from '../../shared/describe';
import { sentLate } from '../../shared/incident';
import { half } from '../../shared/lang';
import { clockTime, ms } from '../../shared/time';
import { Failed, Loading } from '../../shared/ui';
import { common } from '../../shared/words';
import { unbroken } from '../say/lines';
import { inWords } from '../say/log';
import { words } from '../words';
import { Call } from './place';
import type { Incident, LogEntry } from '../../shared/types';

const LOG_SHOWN = 6;

export function Priority({ incident: { priority } }: { incident: Incident }) {
  const w = words();
  return (
    <section>
      <h2 class="section">
        {w.priority} <b class="score">{Math.round(priority.score)}</b>
      </h2>
      <ul class="reasons">
        {priority.reasons.map(({ code, points, value }) => (
          <li key={code + value}>
            <span>{(w.reason[code] ?? ((v) => w.reasonOther(code, v)))(cameras.value.get(value)?.name ?? value)}</span>
            <span class="dim">{`${points >= 0 ? '+' : ''}${Number(points.toFixed(1))}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was sent and what happened: part of the full record, which is read when the incident is opened. */
export function Record({ incident }: { incident: Incident }) {
  const failed = unread.value.get(incident.id);
  return (
    <>
      {failed && <Failed words={failed} retry={() => void loadIncident(incident.id)} />}
      {!incident.log && !failed && <Loading />}
      {incident.log && <Messages incident={incident} />}
      {incident.log && <Log incident={incident} />}
    </>
  );
}

function Messages({ incident: { messages = [] } }: { incident: Incident }) {
  const w = words();
  return (
    <section>
      <h2 class="section">{w.messages}</h2>
      <ul class="records">
        {messages.length === 0 && <li class="records-none">{w.noMessages}</li>}
        {messages.map((it) => (
          <li key={it.id} title={it.words}>
            <time>{stamp(it.sent_at ?? it.created_at, now.value)}</time>
            <span>
              {w.channel[it.channel]} · {w.role[it.role] ?? it.role} {it.to} {it.phone && <Call phone={it.phone} />}{' '}
              <b class={`status-${it.status}`}>{w.status[it.status]}</b>
              {it.attempts > 1 && <span class="dim"> {w.attempts(it.attempts)}</span>}
              {it.error && <span class="not-well"> {half(it.error)}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Log({ incident }: { incident: Incident }) {
  const w = words();
  const [all, setAll] = useState(false);
  const [read, setRead] = useState<ReadonlyMap<number, LogEntry>>(new Map());
  const [reading, setReading] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const newest = incident.log ?? [];
  const known = new Map([...read, ...newest.map((it) => [it.version, it] as const)]);
  const { log, older } = unbroken(known, newest[newest.length - 1]?.version ?? 0);
  if (log.length === 0) return null;
  const readOlder = async (): Promise<void> => {
    setReading(true);
    try {
      const page = await get<{ items: LogEntry[] }>(`/incidents/${incident.id}/log?before=${older + 1}`);
      // What is newest now stays at hand, though the record is read again meanwhile.
      setRead(new Map([...known, ...page.items.map((it) => [it.version, it] as const)]));
      setFailed(null);
    } catch (error) {
      setFailed(failure(error));
    }
    setReading(false);
  };
  const shown = all ? log : log.slice(0, LOG_SHOWN);
  return (
    <section>
      <h2 class="section">{w.log}</h2>
      <ul class="records">
        {shown.map((entry) => (
          <li key={entry.version}>
            <time>{stamp(entry.at, now.value)}</time>
            <span>
              {inWords(entry, incident, { categories: board.value?.categories ?? [], cameras: cameras.value })} <span class="dim">{who(entry)}</span>
              {sentLate(entry.at, entry.happened_at) && (
                <span class="dim"> {common().happenedAt(clockTime(ms(entry.at)), clockTime(ms(entry.happened_at)))}</span>
              )}
            </span>
          </li>
        ))}
      </ul>
      {log.length > LOG_SHOWN && !all && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          {w.showAll(log.length)}
        </button>
      )}
      {all && older > 0 && (
        <button type="button" class="link" data-action="older" disabled={reading} onClick={() => void readOlder()}>
          {w.showOlder(older)}
        </button>
      )}
      {failed && <p class="not-well">{failed}</p>}
    </section>
  );
}

function who(entry: LogEntry): string {
  return entry.name ?? (entry.actor.kind === 'system' ? words().system : entry.actor.person);
}
