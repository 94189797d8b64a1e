/** Pointing at a reported fire: while the form is open a click on the map is the place, drawn with how far off it may be. */
import L from 'leaflet';
import { effect, untracked } from '@preact/signals';
import { board } from '../../shared/board';
import { intakeOpen } from '../desk';
import { at, draft, point as tell } from '../intake';
import { point } from './shapes';

const INK = '#14191d';

export function told(map: L.Map, box: HTMLElement): () => void {
  const group = L.layerGroup().addTo(map);
  const html = document.createElement('span');
  html.className = 'told-pin';
  const onClick = ({ latlng }: L.LeafletMouseEvent): void => {
    if (!intakeOpen.peek()) return;
    const { lat, lng } = latlng.wrap();
    tell({ lat_deg: lat, lon_deg: lng });
  };
  map.on('click', onClick);
  const stops = [
    effect(() => void box.classList.toggle('pointing', intakeOpen.value)),
    effect(() => {
      group.clearLayers();
      const place = at.value;
      if (!intakeOpen.value || !place) return;
      L.circle(point(place), { radius: draft.value.radius_m, color: INK, weight: 2, dashArray: '5 4', fillColor: '#f2c14e', fillOpacity: 0.25, interactive: false }).addTo(group);
      L.marker(point(place), { icon: L.divIcon({ html, className: 'pin-box', iconSize: [0, 0] }), keyboard: false, interactive: false, zIndexOffset: 2000 }).addTo(group);
    }),
    effect(() => {
      const place = at.value;
      const county = untracked(() => board.value?.county);
      // A half-typed longitude is a place too, in Africa: only the county is worth moving the map for.
      if (!intakeOpen.value || !place || !county || !L.latLngBounds(county.bounds.map(point)).contains(point(place))) return;
      map.panInside(point(place), { padding: [60, 60], animate: true });
    }),
  ];
  return () => stops.forEach((stop) => stop());
}
