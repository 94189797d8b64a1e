/** 131: three limits, each with the time left or the stamp of when it was done. */
import { board } from '../../shared/board';
import { now } from '../../shared/clock';
import { arrival, distanceTo } from '../../shared/describe';
import { clockFor, sentLate, stages, waitingFor } from '../../shared/incident';
import { Tick, Warning } from '../../shared/icons';
import { clockTime, countdown, MINUTE_MS, ms } from '../../shared/time';
import { classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { words } from '../words';
import { Call } from './place';
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
  // Only a rule that lets the policy send by itself is said to do so, and then as what it may do.
  const alone = incident.because.some(({ code }) => code === 'auto' || code === 'officer_then_auto');
  return (
    <>
      <p class={classes('review', left && left.urgency)}>
        {left && left.urgency !== 'overdue' ? (alone ? w.reviewByAuto(left.text) : w.reviewBy(left.text)) : incident.review_missed ? w.reviewPassed : w.notDispatched}
      </p>
      {incident.dispatch?.declined && <p class="declined">{`${incident.dispatch.ranger.name} · ${w.declined(incident.dispatch.declined)}`}</p>}
      <Past incident={incident} />
    </>
  );
}

/** What a replaced dispatch missed stays said. */
function Past({ incident: { past_dispatches } }: { incident: Incident }) {
  const w = words();
  const c = common();
  const missed = past_dispatches.flatMap((it) => it.missed.map((stage) => ({ id: it.id + stage, words: w.pastMissed(it.ranger.name, c.overdueStage[stage]) })));
  return missed.length === 0 ? null : (
    <ul class="past">
      {missed.map((it) => (
        <li key={it.id}>{it.words}</li>
      ))}
    </ul>
  );
}

function Running({ incident, dispatch }: { incident: Incident; dispatch: Dispatch }) {
  const w = words();
  const { ranger } = dispatch;
  const far = distanceTo(ranger.distance_m, incident.fix);
  const measured = [dispatch.acknowledged, dispatch.arrived].some((it) => it?.position);
  return (
    <>
      <p class="ranger-line">
        <b>{ranger.name}</b>
        {far && <span class="dim">{measured ? w.distanceFrom(far) : w.gridDistance(far)}</span>}
        <Call phone={ranger.phone} />
      </p>
      {dispatch.declined && <p class="declined">{w.declined(dispatch.declined)}</p>}
      <ol class="stepper">
        {stages.map((stage) => (
          <StepCell key={stage} stage={stage} dispatch={dispatch} running={incident.state !== 'closed' && waitingFor(dispatch) === stage} />
        ))}
      </ol>
      {dispatch.claimed && !dispatch.arrived && !dispatch.reported && <p class="claimed">{`${arrival(dispatch.claimed)} · ${clockTime(ms(dispatch.claimed.received_at))}`}</p>}
      <Past incident={incident} />
    </>
  );
}

function StepCell({ stage, dispatch, running }: { stage: Stage; dispatch: Dispatch; running: boolean }) {
  const w = words();
  const c = common();
  // A report implies an arrival that may be unproven: only a proven one is ticked.
  const taken = dispatch[stage];
  const step = taken?.unproven ? null : taken;
  const claim = stage === 'arrived' && !step ? (dispatch.claimed ?? taken) : null;
  // Who has reported was there, be it that his position did not prove it: no clock runs, and nothing is ticked.
  const over = !step && stage !== 'reported' && dispatch.reported !== null;
  const clock = clockFor(stage, dispatch, now.value);
  const minutes = Math.round((clock.due - ms(dispatch.zero_at)) / MINUTE_MS);
  const { urgency, text } = clock.countdown;
  const missed = dispatch.missed.includes(stage) || (!step && !over && urgency === 'overdue');
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
          {stage === 'arrived' && <small class="step-word">{arrival(step)}</small>}
        </>
      ) : over ? (
        <small class="step-word step-claim">{claim ? `${arrival(claim)} · ${clockTime(ms(claim.received_at))}` : w.notKnown}</small>
      ) : (
        <>
          <time class="step-clock" role="timer">
            {text}
          </time>
          <small class="step-word">{claim ? `${word} · ${w.claimedShort}` : word}</small>
        </>
      )}
    </li>
  );
}
