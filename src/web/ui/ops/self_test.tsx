/** What plume the chosen camera sees right now, by its last self-test; asking for another; accepting a new view. */
import { useState } from 'preact/hooks';
import { selfTestUrl } from '../shared/api';
import { now } from '../shared/clock';
import { presetName, stamp } from '../shared/describe';
import { classes } from '../shared/ui';
import { acceptView, askSelfTest, failedAt, selfTests } from './state';
import { acceptable, distancesKm, metres, percentOf, smallestOf, testOf } from './visible';
import { words } from './words';
import type { Camera, SelfTest } from '../shared/types';

export function SelfTestPane({ camera }: { camera: Camera }) {
  const w = words();
  const test = testOf(selfTests.value, camera.id);
  const failed = failedAt('self-test');
  return (
    <section class="self-test" data-self-test={test?.asked_at ? 'asked' : test?.last ? 'done' : 'none'}>
      <h2>
        {w.selfTest}
        <small>{w.selfTestHint}</small>
      </h2>
      {test?.last ? <Outcome camera={camera} last={test.last} /> : <p class="quiet">{w.neverTested}</p>}
      {failed && (
        <p class="quiet" role="alert">
          {failed}
        </p>
      )}
      <p class="self-test-actions">
        <button type="button" class="button" data-action="self-test" disabled={test?.asked_at != null} onClick={() => void askSelfTest(camera.id)}>
          {test?.asked_at ? w.testing : w.testNow}
        </button>
        {acceptable(camera) && <AcceptView camera={camera} />}
      </p>
    </section>
  );
}

function Outcome({ camera, last }: { camera: Camera; last: NonNullable<SelfTest['last']> }) {
  const w = words();
  const smallest = smallestOf(last);
  return (
    <div class="self-test-outcome">
      <img src={selfTestUrl(camera.id, last.at)} alt={w.exampleOf(camera.name)} />
      <div>
        <p>
          {smallest === null ? <b>{w.seesNothing}</b> : <b>{w.sees(percentOf(smallest))}</b>} <small>{stamp(last.at, now.value) + presetName(last.pose)}</small>
        </p>
        {smallest !== null && <p>{w.metresAt(distancesKm.map((km): [number, number] => [km, metres(smallest, camera.field_of_view_deg, km)]))}</p>}
        <Sizes name={w.scale.whole} sizes={last.whole.sizes} />
        {last.tile && <Sizes name={w.scale.tile} sizes={last.tile.sizes} />}
      </div>
    </div>
  );
}

function Sizes({ name, sizes }: { name: string; sizes: NonNullable<SelfTest['last']>['whole']['sizes'] }) {
  const w = words();
  return (
    <ul aria-label={name}>
      <li>{name}</li>
      {sizes.map((size) => (
        <li key={size.width} class={classes(size.found * 2 > size.places && 'found')}>
          {w.size(percentOf(size.width), size.found, size.places)}
        </li>
      ))}
    </ul>
  );
}

/** Twice pressed, because the old view is then forgotten. */
function AcceptView({ camera }: { camera: Camera }) {
  const w = words();
  const [asking, setAsking] = useState(false);
  const press = (): void => {
    if (asking) void acceptView(camera.id);
    setAsking(!asking);
  };
  return (
    <button type="button" class={classes('button', asking && 'button-red')} data-action="accept-view" onClick={press}>
      {asking ? w.acceptSure : w.acceptView}
    </button>
  );
}
