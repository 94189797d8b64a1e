/** Who saw it; sorting out what does not belong here. */
import { useState } from 'preact/hooks';
import { cameras, isTownship } from '../../shared/board';
import { now } from '../../shared/clock';
import { evidenceLine, label, sourceName, stamp } from '../../shared/describe';
import { Camera, Person, Satellite } from '../../shared/icons';
import { act } from '../desk';
import { words } from '../words';
import type { ComponentChildren } from 'preact';
import type { Incident, Sighting } from '../../shared/types';

const sourceIcon = { camera: Camera, satellite: Satellite, person: Person, system: Camera, neighbour: Person };

export function Evidence({ incident }: { incident: Incident }) {
  const w = words();
  const [chosen, choose] = useState<readonly string[] | null>(null);
  const { sightings, struck_out } = incident;
  const count = incident.sightings_count;
  // The last piece stays: an incident without any is closed instead.
  const sorts = incident.state !== 'closed' && !isTownship.value;
  const sortable = sorts && count > 1;
  const toggle = (id: string): void => choose(chosen?.includes(id) ? chosen.filter((it) => it !== id) : [...(chosen ?? []), id]);
  const split = (): void => {
    act(incident, 'split', { sightings: chosen }, w.splitInto(chosen?.length ?? 0));
    choose(null);
  };
  return (
    <section>
      <h2 class="section">
        {w.evidence} <small>{w.sources(count)}</small>
        {sortable && (
          <button type="button" class="link section-tool" aria-expanded={chosen !== null} data-action="split" onClick={() => choose(chosen ? null : [])}>
            {chosen ? w.splitCancel : w.split}
          </button>
        )}
      </h2>
      {count > sightings.length && <p class="dim">{w.shownOf(sightings.length, count)}</p>}
      <ul class="records">
        {sightings.map((sighting) => (
          <Line key={sighting.id} sighting={sighting} incident={incident}>
            {sortable && chosen && (
              <label class="pick">
                <input type="checkbox" checked={chosen.includes(sighting.id)} onChange={() => toggle(sighting.id)} /> {w.splitThis}
              </label>
            )}
            {sortable && !chosen && (
              <button
                type="button"
                class="link"
                data-strike={sighting.id}
                aria-label={`${w.strike} ${sourceName(sighting, cameras.value)}`}
                onClick={() => act(incident, 'strike-out', { sighting: sighting.id }, `${w.strike} ${sourceName(sighting, cameras.value)}`)}
              >
                {w.strike}
              </button>
            )}
          </Line>
        ))}
        {struck_out.map((sighting) => (
          <Line key={sighting.id} sighting={sighting} incident={incident} struck>
            {sorts && (
              <button
                type="button"
                class="link"
                data-reinstate={sighting.id}
                aria-label={`${w.reinstate} ${sourceName(sighting, cameras.value)}`}
                onClick={() => act(incident, 'reinstate', { sighting: sighting.id }, `${w.reinstate} ${sourceName(sighting, cameras.value)}`)}
              >
                {w.reinstate}
              </button>
            )}
          </Line>
        ))}
      </ul>
      {chosen && (
        <button type="button" class="button" disabled={chosen.length === 0 || chosen.length >= count} onClick={split}>
          {w.splitInto(chosen.length)}
        </button>
      )}
    </section>
  );
}

function Line({ sighting, incident, struck = false, children }: { sighting: Sighting; incident: Incident; struck?: boolean; children: ComponentChildren }) {
  const Icon = sourceIcon[sighting.source.kind];
  return (
    <li class={struck ? 'struck' : undefined}>
      <time>{stamp(sighting.observed_at, now.value)}</time>
      <span>
        {struck && <b>{words().struck} </b>}
        <Icon size={13} /> {evidenceLine(sighting, incident.fix, cameras.value)}
        {sighting.labels.map((it) => (
          <span class="tag" key={label(it)}>
            {label(it)}
          </span>
        ))}{' '}
        {sighting.source.kind === 'system' && sighting.source.alarm && !isTownship.value && (
          <a class="link" href={`/api/v1/sightings/${sighting.id}/original`} target="_blank" rel="noreferrer">
            {words().original}
          </a>
        )}{' '}
        {children}
      </span>
    </li>
  );
}
