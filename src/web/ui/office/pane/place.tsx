/** Where it may be: what is known of the place, the grids it may lie in, who else was told, whose county it is. */
import { cameras } from '../../shared/board';
import { now } from '../../shared/clock';
import { label, stamp } from '../../shared/describe';
import { Phone } from '../../shared/icons';
import { CopyButton, Field } from '../../shared/ui';
import { accuracy, direct, fixCoordinates, mastOf } from '../../shared/where';
import { common } from '../../shared/words';
import { NoticesHere } from '../notices';
import { words } from '../words';
import type { Candidate, Incident, Person } from '../../shared/types';

export function Place({ incident }: { incident: Incident }) {
  const w = words();
  const c = common();
  const { fix, place, sightings, first_seen_at } = incident;
  const point = fixCoordinates(fix);
  const bearing = direct(fix, sightings);
  const seenBy = bearing ? mastOf(incident) : null;
  const mast = seenBy && (cameras.value.get(seenBy.camera ?? '')?.name ?? seenBy.name ?? seenBy.camera);
  const area = [place.township, place.village].filter(Boolean).join(' ');
  return (
    <>
      <dl class="facts" data-fix={fix.method}>
        {bearing && (
          <Field name={w.bearing}>
            {mast} <span class="mono">{bearing}</span>
          </Field>
        )}
        {point && (
          <Field name={w.coordinates}>
            <span class="mono" title={w.wgs84}>
              {point}
            </span>{' '}
            <span class="dim">{accuracy(fix)}</span> <CopyButton text={point} />
          </Field>
        )}
        <Field name={w.grid}>
          {[area, place.grid].filter(Boolean).join(' · ')}
          {!place.unique && <span class="tag"> {w.gridNotUnique}</span>}
        </Field>
        <Field name={w.firstSeen}>{`${stamp(first_seen_at, now.value)} · ${c.method[fix.method]}`}</Field>
        {place.neighbour && (
          <Field name={w.neighbourCounty}>
            <b>{place.neighbour.name}</b> <Call phone={place.neighbour.phone} />
          </Field>
        )}
        <NoticesHere held={incident.in_force} />
        {place.labels.length > 0 && (
          <Field name={w.labels}>
            {place.labels.map((it) => (
              <span class="tag" key={label(it)}>
                {label(it)}
              </span>
            ))}
          </Field>
        )}
      </dl>
      <Candidates incident={incident} />
    </>
  );
}

export function Call({ phone }: { phone: string | null }) {
  return phone ? (
    <a class="tel mono" href={`tel:${phone}`}>
      <Phone size={13} /> {phone}
    </a>
  ) : (
    <span class="dim">{words().noPhone}</span>
  );
}

/** The likeliest grid is also named where there is only one: whom to ring is the question. */
function Candidates({ incident: { place, dispatch } }: { incident: Incident }) {
  const w = words();
  if (place.candidates.length === 0) return null;
  const left = 1 - place.candidates.reduce((sum, it) => sum + it.weight, 0);
  const told = (it: Candidate): string | null => {
    if (dispatch && dispatch.declined === null && (dispatch.grid === null ? [it.ranger?.id, it.backup?.id].includes(dispatch.ranger.id) : dispatch.grid === it.grid)) return w.sentThere;
    const near = dispatch?.neighbours.find((near) => near.grid === it.grid);
    return near ? (near.go ? w.askedThere(near.ranger.name) : w.toldThere(near.ranger.name)) : null;
  };
  return (
    <section>
      <h2 class="section">{w.candidates}</h2>
      <ul class="candidates">
        {place.candidates.map((it) => (
          <li key={it.grid} data-grid={it.grid}>
            <span class="candidate-bar" style={{ width: `${Math.round(it.weight * 100)}%` }} aria-hidden="true" />
            <span class="candidate-name">
              <b>{it.name}</b> {told(it) && <em>{told(it)}</em>}
            </span>
            <b class="candidate-share">{w.share(Math.round(it.weight * 100))}</b>
            <span class="candidate-who">
              <Who person={it.ranger ?? it.backup} />
            </span>
          </li>
        ))}
        {left >= 0.005 && (
          <li class="candidate-rest">
            <span class="candidate-name dim">{w.noGrid}</span>
            <b class="candidate-share">{w.share(Math.round(left * 100))}</b>
          </li>
        )}
      </ul>
    </section>
  );
}

function Who({ person }: { person: Person | null }) {
  const w = words();
  if (!person) return <span class="dim">{w.nobodyInGrid}</span>;
  return (
    <>
      {person.name} <Call phone={person.phone} />
    </>
  );
}
