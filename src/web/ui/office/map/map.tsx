/** The centre of the board. Leaflet on canvas: 60 frames a second on an office PC without a graphics card. */
import L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import './map.css';
import { effect, untracked } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { board, cameras, hotspots, isTownship, queue } from '../../shared/board';
import { now } from '../../shared/clock';
import { Phone, Target } from '../../shared/icons';
import { lang } from '../../shared/lang';
import { anchor } from '../../shared/where';
import { fitAll, intakeOpen, selected, selectedId } from '../desk';
import { at, toggleIntake } from '../intake';
import { words } from '../words';
import { Legend } from './legend';
import { Pins } from './pin';
import { candidates, evidence, extent, links } from './doubt';
import { CAMERA_PANE, camera, grids, hotspot, point } from './shapes';
import { told } from './told';

/** A grid's name is so wide, pixels: where a usual grid is narrower, the names would cover each other. */
const NAME_PX = 64;
/** With more cameras than this their names show with those of the grids only. */
const MANY_CAMERAS = 24;

export function CountyMap() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current ? start(box.current) : undefined), []);
  const w = words();
  return (
    <section class="map" aria-label={w.map}>
      <div class="map-box" ref={box} />
      <div class="map-tools">
        {!isTownship.value && (
          <button type="button" class="map-button map-intake" data-action="intake" aria-expanded={intakeOpen.value} onClick={toggleIntake}>
            <Phone /> {w.intake} <kbd>N</kbd>
          </button>
        )}
        <button type="button" class="map-button" onClick={() => fitAll.value++}>
          <Target /> {w.mapFit} <kbd>G</kbd>
        </button>
      </div>
      {intakeOpen.value && !at.value && <p class="map-hint">{w.intakePointing}</p>}
      <Legend />
    </section>
  );
}

/** How wide a usual grid is at this zoom. */
function gridPx(map: L.Map): number {
  const county = board.peek()?.county;
  if (!county) return 0;
  const [a, b] = [map.project(point(county.bounds[0])), map.project(point(county.bounds[1]))];
  return Math.sqrt(Math.abs((b.x - a.x) * (b.y - a.y)) / Math.max(1, county.grids.features.length));
}

function start(box: HTMLElement): () => void {
  const map = L.map(box, { preferCanvas: true, zoomControl: false, attributionControl: false, zoomSnap: 0.25, keyboard: false });
  L.control.zoom({ position: 'topright', zoomInTitle: '+', zoomOutTitle: '-' }).addTo(map);
  L.control.scale({ imperial: false, position: 'bottomright', maxWidth: 120 }).addTo(map);
  map.createPane(CAMERA_PANE).style.zIndex = '550';
  const layer = (): L.LayerGroup => L.layerGroup().addTo(map);
  const [ground, likely, eyes, satellite, proof, pinned] = [layer(), layer(), layer(), layer(), layer(), layer()];
  const pins = new Pins(pinned);
  const names = (): void => {
    const near = gridPx(map) >= NAME_PX;
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
      likely.clearLayers();
      const [county, chosen] = [board.value?.county, selected.value];
      if (county && chosen) candidates(chosen, county.grids, likely);
    }),
    effect(() => {
      void lang.value;
      eyes.clearLayers();
      board.value?.cameras.forEach((it) => camera(it, eyes));
    }),
    effect(() => {
      void lang.value;
      satellite.clearLayers();
      hotspots.value.items.forEach((it) => hotspot(it, satellite));
    }),
    effect(() => {
      proof.clearLayers();
      const chosen = selected.value;
      for (const it of board.value?.incidents ?? []) if (it.id !== chosen?.id) evidence(it, false, cameras.value, proof);
      if (!chosen) return;
      evidence(chosen, true, cameras.value, proof);
      links(chosen, board.value?.incidents ?? [], proof);
    }),
    effect(() => pins.show(queue.value, selectedId.value, now.value)),
    effect(() => {
      if (!selectedId.value) return;
      const at = untracked(() => selected.value && anchor(selected.value));
      // Only when it is out of sight: a map that jumps at every click loses the reader.
      if (at && framed) map.panInside(point(at), { padding: [90, 90], animate: true });
    }),
    effect(() => {
      if (fitAll.value === 0) return;
      const all = queue.peek().flatMap((it) => extent(it).map(point));
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
