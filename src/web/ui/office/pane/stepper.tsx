/** 131: three limits, each with the time left or the stamp of when it was done. */
import { board } from '../../shared/board';
import { now } from '../../shared/clock';
import { distance } from '../../shared/describe';
import { clockFor, sentLate, stages, waitingFor } from '../../shared/incident';
import { Phone, Tick, Warning } from '../../shared/icons';
import { clockTime, countdown, MINUTE_MS, ms } from '../../shared/time';
import { classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { words } from '../words';
import type { Dispatch, Incident, Stage } from '../../shared/types';

export function Stepper({ incident }: { incident: Incident }) {
  const w = words();
  const { dispatch } = incident;
  return (
    <section class="stepper-box">
      <h2 class="section">
        {w.stepper} <small>{board.value && w.zero[board.value.zero_point]}</small>
      </h2>
      {dispatch && incident.state !== 'needs_review' ? <Running incident={incident} dispatch={dispatch} /> : <Waiting incident={incident} />}
    </section>
  );
}

function Waiting({ incident }: { incident: Incident }) {
  const w = words();
  const left = incident.review_by && countdown(ms(incident.review_by), now.value);
  return (
    <p class={classes('review', left && left.urgency)}>
      {left && left.urgency !== 'overdue' ? w.reviewBy(left.text) : incident.review_missed ? w.reviewPassed : w.notDispatched}
    </p>
  );
}

function Running({ incident, dispatch }: { incident: Incident; dispatch: Dispatch }) {
  const w = words();
  const { ranger } = dispatch;
  return (
    <>
      <p class="ranger-line">
        <b>{ranger.name}</b>
        {ranger.distance_m !== null && <span class="dim">{w.distanceFrom(distance(ranger.distance_m))}</span>}
        {ranger.phone ? (
          <a href={`tel:${ranger.phone}`}>
            <Phone size={13} /> {ranger.phone}
          </a>
        ) : (
          <span class="dim">{w.noPhone}</span>
        )}
      </p>
      {dispatch.declined && <p class="declined">{w.declined(dispatch.declined)}</p>}
      <ol class="stepper">
        {stages.map((stage) => (
          <StepCell key={stage} stage={stage} dispatch={dispatch} running={incident.state !== 'closed' && waitingFor(dispatch) === stage} />
        ))}
      </ol>
    </>
  );
}

function StepCell({ stage, dispatch, running }: { stage: Stage; dispatch: Dispatch; running: boolean }) {
  const w = words();
  const c = common();
  const step = dispatch[stage];
  const clock = clockFor(stage, dispatch, now.value);
  const minutes = Math.round((clock.due - ms(dispatch.zero_at)) / MINUTE_MS);
  const { urgency, text } = clock.countdown;
  const missed = dispatch.missed.includes(stage) || (!step && urgency === 'overdue');
  const word = urgency === 'overdue' ? c.overdue : urgency === 'soon' ? c.soon : c.left;
  return (
    <li class={classes('step', step ? 'step-done' : running ? 'step-running' : 'step-ahead', missed && 'step-missed', !step && running && urgency)} data-stage={stage}>
      <span class="step-name">
        {c.stage[stage]} <small>{w.limit(minutes)}</small>
      </span>
      {step ? (
        <>
          <time class="step-clock">
            {step.late ? <Warning size={13} /> : <Tick size={13} />} {clockTime(ms(step.received_at))}
          </time>
          <small class="step-word">
            {sentLate(step.received_at, step.happened_at)
              ? c.happenedAt(clockTime(ms(step.received_at)), clockTime(ms(step.happened_at)))
              : `${c.means[step.means.means]}${step.late ? ` · ${w.late}` : ''}`}
          </small>
        </>
      ) : (
        <>
          <time class="step-clock" role="timer">
            {text}
          </time>
          <small class="step-word">{word}</small>
        </>
      )}
    </li>
  );
}
