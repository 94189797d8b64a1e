import { frameUrl } from '../shared/api';
import { now } from '../shared/clock';
import { Cross, Tick, Warning } from '../shared/icons';
import { stamp } from '../shared/describe';
import { learningS } from '../shared/health';
import { ms, span } from '../shared/time';
import { classes, Failed } from '../shared/ui';
import { common } from '../shared/words';
import { proofOf } from './proof';
import { brokenAt, cameras, chosenId, current, loadCameras, problem, selfTests, sorted } from './state';
import { onTime, percentOf, smallestOf, testOf } from './visible';
import { words } from './words';
import type { Camera, Health } from '../shared/types';

export function Cameras() {
  const w = words();
  const list = sorted.value;
  if (!cameras.value) return problem.value ? <Failed words={problem.value} since={brokenAt.value} retry={() => void loadCameras()} /> : <p class="quiet">{common().loading}</p>;
  if (list.length === 0)
    return (
      <div class="empty">
        <b>{w.noCameras}</b>
        <p>{w.noCamerasHint}</p>
      </div>
    );
  return (
    <table class="cameras">
      <thead>
        <tr>
          <th>{w.frame}</th>
          <th>{w.name}</th>
          <th>{w.health}</th>
          <th>{w.scores}</th>
          <th class="number">{w.alarms}</th>
        </tr>
      </thead>
      <tbody>
        {list.map((camera) => (
          <Row key={camera.id} camera={camera} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ camera }: { camera: Camera }) {
  const w = words();
  const choose = (): void => void (chosenId.value = camera.id);
  return (
    <tr class={classes(chosenId.value === camera.id && 'chosen')} onClick={choose} data-camera={camera.id}>
      <td class="frame">{camera.last_frame_at ? <img src={frameUrl(camera.id, camera.last_frame_at)} alt={w.frameOf(camera.name)} width={104} height={58} /> : <span>{w.noData}</span>}</td>
      <td>
        <button type="button" class="name" aria-pressed={chosenId.value === camera.id} onClick={choose}>
          {camera.name}
        </button>
        <small>{camera.last_frame_at ? w.ago(span(now.value - ms(camera.last_frame_at))) : w.never}</small>
      </td>
      <td>
        <HealthWord camera={camera} />
      </td>
      <td>{camera.last_scores ? <Bars scores={camera.last_scores} /> : <small>{w.noData}</small>}</td>
      <td class="number">{camera.alarms_today}</td>
    </tr>
  );
}

/** Nothing to repair, or nothing that blinds. */
const mild: readonly Health[] = ['starting', 'late', 'fog', 'resized'];
const level = (health: Health): 'good' | 'wait' | 'bad' => (health === 'ok' ? 'good' : mild.includes(health) ? 'wait' : 'bad');
const healthIcon = { good: Tick, wait: Warning, bad: Cross };

function HealthWord({ camera }: { camera: Camera }) {
  const w = words();
  const learning = camera.health === 'ok' ? learningS(camera, now.value) : null;
  const tone = learning === null ? level(camera.health) : 'wait';
  const last = testOf(selfTests.value, camera.id)?.last;
  const smallest = last ? smallestOf(last) : null;
  const inTime = onTime(camera);
  const Icon = healthIcon[tone];
  return (
    <>
      <span class={`health health-${tone}`}>
        <Icon size={14} /> {learning === null ? common().health[camera.health] : common().learning(learning)}
      </span>
      {camera.health !== 'ok' && camera.health_since && <small>{w.since(stamp(camera.health_since, now.value))}</small>}
      {camera.detail && <small class="detail">{camera.detail}</small>}
      {camera.main_detail && <small class="detail">{camera.main_detail}</small>}
      {inTime && <small>{w.onTime(inTime)}</small>}
      {camera.main_fetched > 0 && <small>{w.mainLooks(camera.main_fetched)}</small>}
      {(proofOf(camera.id)?.missing.length ?? 0) > 0 && <small class="unproven">{w.unproven}</small>}
      {last && <small>{smallest === null ? w.seesNothing : w.sees(percentOf(smallest))}</small>}
    </>
  );
}

function Bars({ scores }: { scores: { smoke: number; fire: number } }) {
  const w = words();
  const limits = current.value;
  return (
    <span class="bars">
      <Bar name={w.smoke} value={scores.smoke} limit={limits?.smoke ?? 1} />
      <Bar name={w.fire} value={scores.fire} limit={limits?.fire ?? 1} />
    </span>
  );
}

function Bar({ name, value, limit }: { name: string; value: number; limit: number }) {
  return (
    <span class={classes('score-bar', value >= limit && 'over')}>
      <span>{name}</span>
      <i>
        <i style={{ width: `${value * 100}%` }} />
        <i class="limit" style={{ left: `${limit * 100}%` }} />
      </i>
      <b>{value.toFixed(2)}</b>
    </span>
  );
}
