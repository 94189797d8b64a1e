/** The county to Leaflet layers: grids, cameras, satellite hotspots. */
import L from 'leaflet';
import { footprint, sector } from '../../shared/geo';
import { clockTime, ms } from '../../shared/time';
import { common } from '../../shared/words';
import { words } from '../words';
import type { Board, Camera, Hotspot, LatLon } from '../../shared/types';

export const RED = '#9b1c14';
export const BLUE = '#0b4f8a';
export const VIOLET = '#6a1b9a';
const GREY = '#59636c';

/** Cameras and their names lie under every fire. */
export const CAMERA_PANE = 'cameras';

/** Sizes of a VIIRS pixel, for feeds that do not say. */
const PIXEL_KM = 0.375;

export const point = ({ lat_deg, lon_deg }: LatLon): L.LatLngTuple => [lat_deg, lon_deg];
export const ring = (outline: LatLon[]): L.LatLngTuple[] => outline.map(point);

export function grids(county: Board['county'], group: L.LayerGroup): void {
  const [a, b] = county.bounds;
  L.rectangle([point(a), point(b)], { color: '#a9b3a4', weight: 1.2, dashArray: '6 5', fill: false, interactive: false }).addTo(group);
  L.geoJSON(county.grids, {
    interactive: false,
    style: { color: '#9fae95', weight: 1, fillColor: '#e3eadd', fillOpacity: 0.75 },
    onEachFeature: (feature, layer) => {
      const name = (feature.properties as { name?: string } | null)?.name;
      if (name) layer.bindTooltip(name, { permanent: true, direction: 'center', className: 'grid-name', interactive: false });
    },
  }).addTo(group);
}

export function camera(it: Camera, group: L.LayerGroup): void {
  const ok = it.health === 'ok' || it.health === 'starting';
  const colour = ok ? BLUE : GREY;
  // Who does not know where it looks may see anything around.
  const half = it.azimuth_deg === null ? 180 : Math.min(it.field_of_view_deg, 360) / 2;
  const view = sector(it.at, it.azimuth_deg ?? 0, half, 0, it.range_m);
  L.polygon(ring(view), { stroke: ok, color: colour, opacity: 0.25, weight: 1, fillColor: colour, fillOpacity: ok ? 0.035 : 0.02, interactive: false }).addTo(group);
  const html = document.createElement('span');
  html.className = ok ? 'camera-pin' : 'camera-pin camera-lost';
  const w = common();
  L.marker(point(it.at), { icon: L.divIcon({ html, className: 'pin-box', iconSize: [14, 14] }), keyboard: false, alt: it.name, pane: CAMERA_PANE })
    .bindTooltip(ok ? it.name : `${it.name} ${w.health[it.health]}`, { permanent: true, direction: 'bottom', offset: [0, 3], className: 'camera-name', pane: CAMERA_PANE })
    .addTo(group);
}

export function hotspot(it: Hotspot, group: L.LayerGroup): void {
  const outline = footprint(it.at, it.scan_km ?? PIXEL_KM, it.track_km ?? PIXEL_KM);
  L.polygon(ring(outline), { color: VIOLET, weight: 2, dashArray: '4 3', fillColor: VIOLET, fillOpacity: 0.1, interactive: false }).addTo(group);
  // At county zoom a pixel is a few dots: a square of fixed size keeps it findable.
  const html = document.createElement('span');
  html.className = 'hotspot-pin';
  L.marker(point(it.at), { icon: L.divIcon({ html, className: 'pin-box', iconSize: [14, 14] }), keyboard: false, alt: it.satellite })
    .bindTooltip(`${it.satellite} ${it.instrument} · ${words().pass(clockTime(ms(it.acquired_at)))}`, { direction: 'top', offset: [0, -8] })
    .addTo(group);
}
