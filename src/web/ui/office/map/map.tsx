/** The centre of the board. Leaflet on canvas: 60 frames a second on an office PC without a graphics card. */
import L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import './map.css';
import { effect, untracked } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { board, cameras, queue } from '../../shared/board';
import { now } from '../../shared/clock';
import { Phone, Target } from '../../shared/icons';
import { lang } from '../../shared/lang';
import { fitAll, intakeOpen, selected, selectedId } from '../desk';
import { at, toggleIntake } from '../intake';
import { words } from '../words';
import { Legend } from './legend';
import { Pins } from './pin';
import { CAMERA_PANE, camera, evidence, grids, hotspot, point } from './shapes';
import { told } from './told';

/** Below this zoom the names of the grids would cover each other. */
const NAMES_FROM_ZOOM = 11.5;
/** With more cameras than this their names show from the same zoom on only. */
const MANY_CAMERAS = 24;

export function CountyMap() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current ? start(box.current) : undefined), []);
  const w = words();
  return (
    <section class="map" aria-label={w.map}>
      <div class="map-box" ref={box} />
      <div class="map-tools">
        <button type="button" class="map-button map-intake" data-action="intake" aria-expanded={intakeOpen.value} onClick={toggleIntake}>
          <Phone /> {w.intake} <kbd>N</kbd>
        </button>
        <button type="button" class="map-button" onClick={() => fitAll.value++}>
          <Target /> {w.mapFit} <kbd>G</kbd>
        </button>
      </div>
      {intakeOpen.value && !at.value && <p class="map-hint">{w.intakePointing}</p>}
      <Legend />
    </section>
  );
}

function start(box: HTMLElement): () => void {
  const map = L.map(box, { preferCanvas: true, zoomControl: false, attributionControl: false, zoomSnap: 0.25, keyboard: false });
  L.control.zoom({ position: 'topright', zoomInTitle: '+', zoomOutTitle: '-' }).addTo(map);
  L.control.scale({ imperial: false, position: 'bottomright', maxWidth: 120 }).addTo(map);
  map.createPane(CAMERA_PANE).style.zIndex = '550';
  const layer = (): L.LayerGroup => L.layerGroup().addTo(map);
  const [ground, eyes, satellite, proof, pinned] = [layer(), layer(), layer(), layer(), layer()];
  const pins = new Pins(pinned);
  const names = (): void => {
    const near = map.getZoom() >= NAMES_FROM_ZOOM;
    box.classList.toggle('names', near);
    box.classList.toggle('many', !near && cameras.peek().size > MANY_CAMERAS);
  };
  map.on('zoomend', names);

  let framed = '';
  const stops = [
    told(map, box),
    effect(() => {
      const county = board.value?.county;
      if (!county || framed === JSON.stringify(county)) return;
      framed = JSON.stringify(county);
      ground.clearLayers();
      grids(county, ground);
      map.fitBounds([point(county.bounds[0]), point(county.bounds[1])], { animate: false });
      names();
    }),
    effect(() => {
      void lang.value;
      eyes.clearLayers();
      board.value?.cameras.forEach((it) => camera(it, eyes));
    }),
    effect(() => {
      void lang.value;
      satellite.clearLayers();
      board.value?.hotspots.forEach((it) => hotspot(it, satellite));
    }),
    effect(() => {
      proof.clearLayers();
      const chosen = selected.value;
      for (const it of board.value?.incidents ?? []) if (it.id !== chosen?.id) evidence(it, false, cameras.value, proof);
      if (chosen) evidence(chosen, true, cameras.value, proof);
    }),
    effect(() => pins.show(queue.value, selectedId.value, now.value)),
    effect(() => {
      if (!selectedId.value) return;
      const at = untracked(() => selected.value?.fix.centre);
      // Only when it is out of sight: a map that jumps at every click loses the reader.
      if (at && framed) map.panInside(point(at), { padding: [90, 90], animate: true });
    }),
    effect(() => {
      if (fitAll.value === 0) return;
      const all = queue.peek().map((it) => point(it.fix.centre));
      if (all.length > 0) map.fitBounds(L.latLngBounds(all), { padding: [70, 70], maxZoom: 13 });
    }),
  ];
  const resized = new ResizeObserver(() => map.invalidateSize());
  resized.observe(box);
  return () => {
    stops.forEach((stop) => stop());
    resized.disconnect();
    map.remove();
  };
}
