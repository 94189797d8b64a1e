/** The right column: one incident, everything needed to decide on it, and the buttons to do it. */
import { now } from '../../shared/clock';
import { coordinates, label, stamp } from '../../shared/describe';
import { markOf, overdueOf } from '../../shared/incident';
import { CopyButton, DrillWord, Field, StateWord, classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { intakeOpen, selected } from '../desk';
import { words } from '../words';
import { Actions } from './actions';
import { Evidence, Priority, Record } from './records';
import { Intake } from './intake';
import { Picture } from './picture';
import { ReportOf } from './report';
import { Stepper } from './stepper';
import type { Incident } from '../../shared/types';

export function Pane() {
  const incident = selected.value;
  const w = words();
  if (intakeOpen.value)
    return (
      <section class="pane" aria-label={w.intake}>
        <Intake />
      </section>
    );
  return (
    <section class={classes('pane', incident?.drill && 'striped')} aria-label={w.pane}>
      {incident ? (
        <>
          <div class="pane-scroll" key={incident.id} tabIndex={0} role="group" aria-label={w.pane}>
            <Head incident={incident} />
            {incident.state === 'reported' && <ReportOf incident={incident} />}
            <Picture incident={incident} />
            <Place incident={incident} />
            <Stepper incident={incident} />
            {incident.state !== 'reported' && <ReportOf incident={incident} />}
            <Priority incident={incident} />
            <Evidence incident={incident} />
            <Record incident={incident} />
          </div>
          <Actions incident={incident} />
        </>
      ) : (
        <div class="pane-empty">
          <b>{w.choose}</b>
          <p>{w.chooseHint}</p>
        </div>
      )}
    </section>
  );
}

function Head({ incident }: { incident: Incident }) {
  const c = common();
  const late = overdueOf(incident, now.value);
  return (
    <header class="pane-head">
      <div class="pane-line">
        <StateWord mark={markOf(incident, now.value)} word={late ? c.overdueStage[late] : c.state[incident.state]} />
        <span class="code">{incident.code}</span>
      </div>
      <h1>
        <DrillWord drill={incident.drill} />
        {incident.place.name}
      </h1>
    </header>
  );
}

function Place({ incident: { fix, place, first_seen_at } }: { incident: Incident }) {
  const w = words();
  const c = common();
  const area = [place.township, place.village].filter(Boolean).join(' ');
  return (
    <dl class="facts">
      <Field name={w.coordinates}>
        <span class="mono" title={w.wgs84}>
          {coordinates(fix.centre)}
        </span>{' '}
        <span class="dim">{c.accuracy(Math.round(fix.radius_m))}</span> <CopyButton text={coordinates(fix.centre)} />
      </Field>
      <Field name={w.grid}>
        {[area, place.grid].filter(Boolean).join(' · ')}
        {!place.unique && <span class="tag"> {w.gridNotUnique}</span>}
      </Field>
      <Field name={w.firstSeen}>
        {[stamp(first_seen_at, now.value), c.method[fix.method], fix.method !== 'reported' && c.source[sourceKind(fix.method)]].filter(Boolean).join(' · ')}
      </Field>
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
  );
}

function sourceKind(method: Incident['fix']['method']): 'camera' | 'satellite' {
  return method === 'satellite' ? 'satellite' : 'camera';
}
