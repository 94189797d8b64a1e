/** What was tapped and where it is now: nothing leaves this list unseen. */
import { now } from '../shared/clock';
import { stamp } from '../shared/describe';
import { Cross, Tick, Up } from '../shared/icons';
import { clockTime } from '../shared/time';
import { decide, items } from './state';
import { words } from './words';
import type { Item } from './outbox/item';

export function Records() {
  const w = words();
  const newest = [...items.value].reverse();
  return (
    <div class="list">
      <h1>{w.recordsTitle}</h1>
      {newest.length === 0 && <p class="nothing">{w.noRecords}</p>}
      <ul>
        {newest.map((item) => (
          <Line key={item.key} item={item} />
        ))}
      </ul>
    </div>
  );
}

function Line({ item }: { item: Item }) {
  const w = words();
  return (
    <li class="record" data-record={item.refused !== null ? 'refused' : item.deliveredAt ? 'delivered' : 'waiting'}>
      <p>
        <b>{w.kind[item.kind]}</b> {item.place}
      </p>
      <p class="quiet">
        {stamp(item.happenedAt, now.value)}
        {item.kind !== 'photo' && ` · ${item.position ? w.gps(item.position.accuracy_m) : w.noFix}`}
        {item.photo && ` · ${w.photoSize(Math.round(item.photo.size / 1000))}`}
      </p>
      {item.refused !== null ? (
        <>
          <p class="bad">
            <Cross /> {w.refused} · {item.refused}
          </p>
          <div class="pair">
            <button type="button" class="secondary" onClick={() => decide(item, true)}>
              {w.retry}
            </button>
            <button type="button" class="secondary" onClick={() => decide(item, false)}>
              {w.dropRefused}
            </button>
          </div>
        </>
      ) : item.deliveredAt ? (
        <p class="good">
          <Tick /> {w.delivered} {clockTime(item.deliveredAt)}
        </p>
      ) : (
        <p class="wait">
          <Up /> {w.waiting}
          {item.attempts > 0 && ` · ${w.tries(item.attempts)}`}
        </p>
      )}
    </li>
  );
}
