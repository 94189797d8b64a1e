/** A turning camera: the views at which it was seen to stop, and which preset each is. */
import { viewUrl } from '../shared/api';
import { now } from '../shared/clock';
import { stamp } from '../shared/describe';
import { failedAt, nameView, patrols } from './state';
import { words } from './words';
import type { Patrol } from '../shared/types';

export function PatrolPane({ camera }: { camera: string }) {
  const w = words();
  const patrol = patrols.value.find((it) => it.camera === camera);
  if (!patrol) return null;
  const failed = failedAt('patrol');
  const named = patrol.views.filter((it) => it.preset !== null).length;
  const unseen = patrol.presets.filter((preset) => patrol.views.every((view) => view.preset !== preset.pose));
  return (
    <section class="patrol" aria-label={w.patrol}>
      <h2>
        {w.patrol}
        <small>{w.patrolHint}</small>
      </h2>
      <p>
        {w.viewCounts(named, patrol.views.length - named)} <small>{w.patrolCounts(patrol.turning, patrol.unclear)}</small>
      </p>
      {unseen.length > 0 && <p>{w.presetsWithoutView(unseen.map((it) => it.pose).join(w.comma))}</p>}
      {failed && (
        <p class="quiet" role="alert">
          {failed}
        </p>
      )}
      <ul class="views">
        {patrol.views.map((view) => (
          <View key={view.number} patrol={patrol} view={view} />
        ))}
      </ul>
    </section>
  );
}

function View({ patrol, view }: { patrol: Patrol; view: Patrol['views'][number] }) {
  const w = words();
  const label = w.viewNumber(view.number);
  const choose = (pose: string): void => void nameView({ camera: patrol.camera, view: view.number, preset: pose === '' ? null : pose });
  return (
    <li data-view={view.number} data-preset={view.preset ?? ''}>
      <img src={viewUrl(patrol.camera, view.number, view.pictured_at)} alt={label} />
      <label>
        <b>{label}</b>{' '}
        <select value={view.preset ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{w.noPreset}</option>
          {patrol.presets.map((preset) => (
            <option key={preset.pose} value={preset.pose}>
              {w.presetOption(preset.pose, preset.azimuth_deg)}
            </option>
          ))}
        </select>
      </label>
      <small>{w.visits(view.visits, stamp(view.last_at, now.value))}</small>
    </li>
  );
}
