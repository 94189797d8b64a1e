/** What was tapped and where it is now: nothing leaves this list unseen. */
import { now } from '../shared/clock';
import { stamp } from '../shared/describe';
import { Cross, Tick, Up } from '../shared/icons';
import { clockTime } from '../shared/time';
import { items, outbox } from './state';
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
    <li class="record" data-record={item.draft ? 'draft' : item.refused !== null ? 'refused' : item.deliveredAt ? 'delivered' : 'waiting'}>
      <p>
        <b>{w.kind[item.kind]}</b> {item.place}
      </p>
      <p class="quiet">
        {stamp(item.happenedAt, now.value)}
        {item.kind !== 'photo' && !item.draft && ` · ${item.position ? w.gps(item.position.accuracy_m) : w.noFix}`}
        {item.photo && ` · ${w.photoSize(Math.round(item.photo.size / 1000))}`}
      </p>
      {item.draft ? (
        <div class="pair">
          <span class="wait">{w.draft}</span>
          <button type="button" class="secondary" onClick={() => outbox.drop(item.key)}>
            {w.discard}
          </button>
        </div>
      ) : item.refused !== null ? (
        <>
          <p class="bad">
            <Cross /> {w.refused} · {item.refused}
          </p>
          <div class="pair">
            <button type="button" class="secondary" onClick={() => outbox.decide(item, true)}>
              {w.retry}
            </button>
            <button type="button" class="secondary" onClick={() => outbox.decide(item, false)}>
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
