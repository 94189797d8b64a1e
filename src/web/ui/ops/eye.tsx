/** What looks: the model, the licence of its weights, and how many cameras this machine holds with it. */
import { eye } from './state';
import { words } from './words';

export function EyePane() {
  const w = words();
  const it = eye.value;
  if (!it) return null;
  const { capacity, licence, model, registered, screening, stretched_s } = it;
  return (
    <section class="eye" data-eye={stretched_s === null ? 'holds' : 'stretched'}>
      <h2>
        {w.eye} <small>{w.model(model.name, model.version)}</small>
      </h2>
      <p class="quiet">{licence ? w.licence(licence.name, licence.note) : w.noLicence}</p>
      <p class="quiet">
        {capacity
          ? w.holds({ flags: capacity.cpu_flags.join(' '), lookMs: Math.round(capacity.look_ms), workers: capacity.workers, cadence: capacity.cadence_s, cameras: capacity.holds, inTiles: capacity.holds_with_tiles })
          : w.notMeasured}
      </p>
      {screening && <p class="quiet">{w.screening(screening)}</p>}
      {stretched_s !== null && (
        <p class="warning" role="note">
          {w.stretched(registered, Math.round(stretched_s))}
        </p>
      )}
    </section>
  );
}
