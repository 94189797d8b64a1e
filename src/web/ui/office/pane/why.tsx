/** Why he was sent, or why nobody was, and whether somebody is deciding. */
import { now } from '../../shared/clock';
import { clockTime, ms } from '../../shared/time';
import { because, isNews } from '../say/because';
import { personOf } from '../say/people';
import { words } from '../words';
import type { Incident } from '../../shared/types';

export function Why({ incident }: { incident: Incident }) {
  const w = words();
  const { dispatch, intent } = incident;
  const sent = dispatch !== null && dispatch.declined === null;
  const reasons = incident.because.filter(isNews);
  if (reasons.length === 0 && !intent) return null;
  return (
    <section data-why={sent ? 'sent' : 'held'}>
      <h2 class="section">{sent ? w.whySent(dispatch.ranger.name) : w.whyNot}</h2>
      <ul class="because">
        {reasons.map((it) => (
          <li key={it.code + it.value}>{because(it, incident)}</li>
        ))}
        {intent && ms(intent.until) > now.value && (
          <li class="because-intent">{w.deciding((intent.by && personOf(intent.by, incident)?.name) || w.officer, w.intent[intent.intent], clockTime(ms(intent.until)))}</li>
        )}
      </ul>
    </section>
  );
}
