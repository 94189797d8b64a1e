/** Board to Leaflet layers: grids, cameras, bearings, satellite pixels, circles of uncertainty. */
import L from 'leaflet';
import { footprint, sector } from '../../shared/geo';
import { sourceName } from '../../shared/describe';
import { clockTime, ms } from '../../shared/time';
import { common } from '../../shared/words';
import { words } from '../words';
import type { Board, Camera, Hotspot, Incident, LatLon } from '../../shared/types';

const RED = '#9b1c14';
const BLUE = '#0b4f8a';
const VIOLET = '#6a1b9a';
const GREY = '#59636c';

/** Cameras and their names lie under every fire. */
export const CAMERA_PANE = 'cameras';

/** Sizes of a VIIRS pixel, for feeds that do not say. */
const PIXEL_KM = 0.375;

export const point = ({ lat_deg, lon_deg }: LatLon): L.LatLngTuple => [lat_deg, lon_deg];
const ring = (outline: LatLon[]): L.LatLngTuple[] => outline.map(point);

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
  const view = sector(it.at, it.azimuth_deg, Math.min(it.field_of_view_deg, 360) / 2, 0, it.range_m);
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

/** How far we believe each piece of evidence reaches; drawn strongly for the incident in hand only. */
export function evidence(incident: Incident, strong: boolean, cameras: ReadonlyMap<string, Camera>, group: L.LayerGroup): void {
  for (const sighting of incident.sightings) {
    const { locus } = sighting;
    if (locus.shape !== 'sector') continue;
    const outline = sector(locus.apex, locus.azimuth_deg, locus.half_width_deg, locus.near_m, locus.far_m);
    const cone = L.polygon(ring(outline), {
      color: RED,
      weight: strong ? 1.5 : 1,
      opacity: strong ? 0.8 : 0.3,
      dashArray: '6 4',
      fillColor: RED,
      fillOpacity: strong ? 0.1 : 0.03,
      interactive: strong,
    }).addTo(group);
    if (strong) cone.bindTooltip(sourceName(sighting, cameras), { sticky: true });
  }
  const { centre, radius_m } = incident.fix;
  L.circle(point(centre), { radius: radius_m, color: RED, weight: strong ? 1.5 : 1, opacity: strong ? 0.9 : 0.4, fillOpacity: strong ? 0.08 : 0.03, fillColor: RED, interactive: false }).addTo(group);
  const arrived = incident.dispatch?.arrived?.position ?? incident.dispatch?.acknowledged?.position;
  if (strong && arrived) {
    L.circleMarker(point(arrived.at), { radius: 6, color: '#fff', weight: 2, fillColor: BLUE, fillOpacity: 1 })
      .bindTooltip(incident.dispatch?.ranger.name ?? '', { direction: 'right' })
      .addTo(group);
  }
}
