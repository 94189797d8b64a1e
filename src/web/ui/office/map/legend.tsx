import { MarkIcon } from '../../shared/icons';
import { words } from '../words';
import { common } from '../../shared/words';
import type { State } from '../../shared/types';

const shown: State[] = ['needs_review', 'dispatched', 'acknowledged', 'arrived', 'reported'];

export function Legend() {
  const w = words();
  const state = common().state;
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
        <i class="swatch-satellite" /> {w.mapSatellite}
      </li>
      <li>
        <i class="camera-pin" /> {w.mapCameras}
      </li>
    </ul>
  );
}
