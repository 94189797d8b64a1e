import { board, isTownship, problem } from '../shared/board';
import { apart, now } from '../shared/clock';
import { learningS, unwell } from '../shared/health';
import { Keyboard } from '../shared/icons';
import { stale } from '../shared/stream';
import { hourMinute, ms, span } from '../shared/time';
import { classes } from '../shared/ui';
import { common } from '../shared/words';
import { stamp } from '../shared/describe';
import { helpShown } from './desk';
import { partName } from './say/parts';
import { words } from './words';
import type { Camera } from '../shared/types';

/** Keys of what a township does not do: dismissing, closing, taking calls. */
const COUNTY_KEYS = new Set(['F', 'X', 'N']);

/** Camera health first: a camera that sees nothing must never look like a county without smoke. */
export function Footer() {
  const w = words();
  const c = common();
  const cameras = board.value?.cameras ?? [];
  const cut = stale.value || problem.value !== null;
  const lost = cameras.filter((camera) => camera.health !== 'ok');
  const learning = cameras.flatMap((camera): [Camera, number][] => {
    const left = camera.health === 'ok' ? learningS(camera, now.value) : null;
    return left === null ? [] : [[camera, left]];
  });
  // Cameras are named one by one below, with their trouble and its time.
  const parts = board.value ? unwell(board.value) : [];
  return (
    <footer class="footer">
      <span class={classes('footer-cameras', lost.length > 0 && 'warn')}>{board.value && w.cameras(cameras.length - lost.length, cameras.length)}</span>
      <ul class="footer-list" tabIndex={0} aria-label={w.troubles}>
        {parts.map(({ part, words: why }) => (
          <li key={part} class="footer-part" title={why} data-part={part}>
            {w.partProblem(partName(part), why)}
          </li>
        ))}
        {apart.value !== null && (
          <li class="footer-part" data-part="this-clock">
            {c.clocksApart(span(Math.abs(apart.value)))}
          </li>
        )}
        {learning.map(([camera, seconds]) => (
          <li key={camera.id} data-learning={camera.id}>
            {w.cameraProblem(camera.name, c.learning(seconds), '')}
          </li>
        ))}
        {lost.map((camera) => (
          <li key={camera.id} title={[camera.detail, camera.health_since && w.since(stamp(camera.health_since, now.value))].filter(Boolean).join(' · ')}>
            {w.cameraProblem(camera.name, c.health[camera.health], camera.health_since ? w.since(hourMinute(ms(camera.health_since))) : '')}
          </li>
        ))}
      </ul>
      <span class={classes('footer-server', cut && 'warn')}>
        {w.server} {cut ? w.disconnected : w.connected}
      </span>
      {board.value && !isTownship.value && (
        <a class="footer-link" href="/registers">
          {w.registers}
        </a>
      )}
      <button type="button" class="footer-keys" onClick={() => (helpShown.value = true)}>
        <Keyboard size={14} /> {w.help} <kbd>?</kbd>
      </button>
    </footer>
  );
}

export function Help() {
  const w = words();
  if (!helpShown.value) return null;
  return (
    <div class="veil" onClick={() => (helpShown.value = false)}>
      <div class="help" role="dialog" aria-modal="true" aria-label={w.help}>
        <h2>{w.help}</h2>
        <dl>
          {w.keys.filter(([key]) => !isTownship.value || !COUNTY_KEYS.has(key)).map(([key, what]) => (
            <div key={key}>
              <dt>
                {key.split(' ').map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="button" autoFocus onClick={() => (helpShown.value = false)}>
          {common().close} <kbd>Esc</kbd>
        </button>
      </div>
    </div>
  );
}
