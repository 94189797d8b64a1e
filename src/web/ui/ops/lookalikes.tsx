/** What waiting for the digest would have changed, before anybody switches it on. */
import { date } from '../shared/describe';
import { ms } from '../shared/time';
import { common } from '../shared/words';
import { lookAlikes } from './state';
import { words } from './words';

/** More are counted, not listed. */
const SHOWN = 8;

export function LookAlikesPane() {
  const w = words();
  const it = lookAlikes.value;
  if (!it) return null;
  return (
    <section class="look-alikes" data-look-alikes={it.incidents}>
      <h2>
        {w.lookAlikes} <small>{w.lookAlikesHint}</small>
      </h2>
      <p class="quiet">{it.incidents === 0 ? w.noLookAlikes : w.wouldWait(it.incidents, it.would_wait, it.fires_would_wait)}</p>
      {it.fires_would_wait > 0 && (
        <p class="warning" role="note">
          {w.firesWouldWait(it.fires_would_wait)}
        </p>
      )}
      <ul>
        {it.items.slice(0, SHOWN).map((alarm) => (
          <li key={alarm.incident}>{w.lookAlike(alarm.code, date(ms(alarm.at)), alarm.like, date(ms(alarm.like_closed_at)), alarm.cause ? common().falseAlarm[alarm.cause] : null, alarm.would_wait)}</li>
        ))}
      </ul>
      <p class="quiet">{w.lookAlikesNow[it.now] ?? it.now}</p>
    </section>
  );
}
