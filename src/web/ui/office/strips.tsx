/** What stands around the cards of the queue: badges, led incidents, and strips for what is no card. */
import { board, isTownship } from '../shared/board';
import { now } from '../shared/clock';
import { category, label, stamp } from '../shared/describe';
import { isLed, notReached } from '../shared/incident';
import { Phone, Warning } from '../shared/icons';
import { act, select, selectedId } from './desk';
import { words } from './words';
import type { Incident } from '../shared/types';

/** A border between our own grids is everyday; these change what an officer does. */
const BADGED = new Set(['known_heat_source', 'approved_burn', 'burn_in_ban', 'masked', 'verified_lately', 'static_heat', 'look_alike', 'no_bearing', 'unknown_device']);

export function Badges({ incident }: { incident: Incident }) {
  const w = words();
  const { place, sightings, dispatch, merged } = incident;
  const reached = notReached(incident).length;
  const labels = [...new Set([...place.labels, ...sightings.flatMap((it) => it.labels)].filter((it) => BADGED.has(it.label)).map(label))];
  const red = [reached > 0 && w.undeliveredCount(reached), dispatch?.claimed && !dispatch.arrived && w.claimedShort].filter((it): it is string => !!it);
  const plain = [place.neighbour && w.neighbourBadge(place.neighbour.name), merged.length > 0 && w.mergedCount(merged.length)].filter((it): it is string => !!it);
  if (labels.length + red.length + plain.length === 0) return null;
  return (
    <span class="badges">
      {red.map((it) => (
        <em class="tag tag-red" key={it}>
          {it}
        </em>
      ))}
      {[...plain, ...labels].map((it) => (
        <em class="tag" key={it}>
          {it}
        </em>
      ))}
    </span>
  );
}

/** Incidents that this one leads: a line each under its card. */
export function Led({ by }: { by: Incident }) {
  const w = words();
  const all = board.value?.incidents ?? [];
  const led = all.filter((it) => it.merged_into === by.id && isLed(it, all));
  if (led.length === 0) return null;
  return (
    <ul class="led">
      {led.map((it) => (
        <li key={it.id}>
          <button type="button" data-led={it.id} aria-current={selectedId.value === it.id} onClick={() => select(it.id)}>
            {w.ledLine(it.code, it.place.name)}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Where cameras send by themselves, the officer here must know. */
export function Unattended() {
  return board.value?.unattended?.includes('camera') ? (
    <p class="unattended" role="note">
      <Warning size={13} /> {words().camerasSend}
    </p>
  ) : null;
}

/** Its deadlines are kept by nobody: a card that cannot be opened, above all others. */
export function Unreadable() {
  const w = words();
  return (board.value?.unreadable ?? []).map(({ code }) => (
    <p class="unattended" role="alert" key={code} data-unreadable={code}>
      <Warning size={13} /> {w.unreadable(code)}
    </p>
  ));
}

export function PassedOn() {
  const w = words();
  const all = board.value?.passed_on ?? [];
  if (all.length === 0) return null;
  return (
    <details class="strip-box" data-strip="passed-on">
      <summary>{w.passedOn(all.length)}</summary>
      <ul>
        {all.map((it) => (
          <li key={it.incident}>
            <button type="button" class="link" onClick={() => select(it.incident)}>
              {it.code}
            </button>{' '}
            {`${it.place} · ${stamp(it.at, now.value)} · ${it.county ?? w.countyUnknown}`}{' '}
            {it.phone ? (
              <a class="tel" href={`tel:${it.phone}`}>
                <Phone size={12} /> {it.phone}
              </a>
            ) : (
              <span class="dim">{w.noPhone}</span>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Reminded() {
  const w = words();
  const all = board.value?.reminded ?? [];
  if (all.length === 0) return null;
  const closedAs = (code: number | null): string => (code === null ? '' : category(code, board.value?.categories ?? []));
  return (
    <details class="strip-box" data-strip="reminded">
      <summary>{w.reminded(all.reduce((sum, it) => sum + it.sightings.length, 0))}</summary>
      <ul>
        {all.map((it) => (
          <li key={it.incident}>
            <button type="button" class="link" onClick={() => select(it.incident)}>
              {it.code}
            </button>{' '}
            {[it.place, closedAs(it.category), stamp(it.last_seen_at, now.value), w.sources(it.sightings.length)].filter(Boolean).join(' · ')}{' '}
            {!isTownship.value && (
              <button type="button" class="link" data-action="open-anew" onClick={() => act({ id: it.incident }, 'split', { sightings: it.sightings }, w.openAnew)}>
                {w.openAnew}
              </button>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
