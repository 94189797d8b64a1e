/** The right column: one incident, everything needed to decide on it, and the buttons to do it. */
import { now } from '../../shared/clock';
import { markOf, overdueOf } from '../../shared/incident';
import { DrillWord, StateWord, classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { intakeOpen, selected } from '../desk';
import { words } from '../words';
import { Actions } from './actions';
import { Evidence } from './evidence';
import { Intake } from './intake';
import { Kin } from './kin';
import { Picture } from './picture';
import { Place } from './place';
import { Priority, Record } from './records';
import { Relocation } from './relocation';
import { ReportOf } from './report';
import { Standing } from './standing';
import { Stepper } from './stepper';
import { Why } from './why';
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
            <Relocation incident={incident} />
            <Standing incident={incident} />
            <Kin incident={incident} />
            {incident.state === 'reported' && <ReportOf incident={incident} />}
            <Picture incident={incident} />
            <Place incident={incident} />
            <Why incident={incident} />
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
