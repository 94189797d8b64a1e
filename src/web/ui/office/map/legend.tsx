import { MarkIcon } from '../../shared/icons';
import { words } from '../words';
import { board } from '../../shared/board';
import { common } from '../../shared/words';
import type { State } from '../../shared/types';

const shown: State[] = ['needs_review', 'dispatched', 'acknowledged', 'arrived', 'reported'];

export function Legend() {
  const w = words();
  const state = common().state;
  // While all is well: the next passes. What is wrong stands in the footer.
  const passes = board.value?.health.find(({ part, ok }) => part === 'passes' && ok)?.words;
  return (
    <ul class="legend" aria-label={w.mapLegend}>
      {shown.map((mark) => (
        <li key={mark}>
          <MarkIcon mark={mark} size={12} /> {state[mark]}
        </li>
      ))}
      <li>
        <MarkIcon mark="overdue" size={12} /> {common().overdue}
      </li>
      <li>
        <i class="swatch-satellite" /> {w.mapSatellite} {passes && <span data-part="passes">{passes}</span>}
      </li>
      <li>
        <i class="camera-pin" /> {w.mapCameras}
      </li>
    </ul>
  );
}
