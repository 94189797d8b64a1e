/** What must not be overlooked on an open task: the place was corrected, or this person is asked or told and not sent. */
import { fixCoordinates, isPlace } from '../shared/where';
import { common } from '../shared/words';
import { moves, readMove, type Seen } from './moved';
import { words } from './words';
import type { Step } from './outbox/item';
import type { RangerIncident } from '../shared/types';

export function toldAs({ told_as }: RangerIncident): string {
  const w = words().toldAs;
  return told_as === 'ranger' || told_as === 'backup_ranger' ? w[told_as] : w.other;
}

export function Asked({ incident, at }: { incident: RangerIncident; at: Step }) {
  const w = words();
  const sent = incident.dispatch?.ranger.name;
  if (at === 'asked') return <Notice title={w.stage.asked} words={sent ? w.askedWhy(sent) : ''} kind="asked" />;
  if (at === 'told') return <Notice title={toldAs(incident)} words={sent ? w.sentAnother(sent) : ''} kind="told" />;
  if (at === 'heard' && incident.mine !== 'sent') return <Notice title={w.stage.heard} words={incident.mine === 'told' ? w.heardNote : ''} kind="heard" />;
  return null;
}

function Notice({ title, words: text, kind }: { title: string; words: string; kind: string }) {
  return (
    <div class="notice" data-notice={kind}>
      <b>{title}</b>
      {text && <p>{text}</p>}
    </div>
  );
}

/** Old and new, until it has been read. */
export function Moved({ incident }: { incident: RangerIncident }) {
  const w = words();
  const move = moves.value[incident.id];
  if (!move) return null;
  return (
    <div class="notice notice-moved" role="alert" data-notice="moved">
      <b>{w.moved}</b>
      <dl>
        <dt>{w.movedFrom}</dt>
        <dd>{said(move.from)}</dd>
        <dt>{w.movedTo}</dt>
        <dd>
          <b>{said(move.to)}</b>
        </dd>
      </dl>
      <button type="button" class="secondary" onClick={() => readMove(incident.id)}>
        {w.movedRead}
      </button>
    </div>
  );
}

function said({ name, grid, fix }: Seen): string {
  const c = common();
  const point = isPlace(fix) ? fixCoordinates(fix) : fix.method === 'unaimed' ? c.noBearing : c.rangeUnknown;
  return [name, grid, point].filter(Boolean).join(' · ');
}
