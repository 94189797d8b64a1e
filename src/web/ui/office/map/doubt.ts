/** Where a fire may be, as Leaflet layers: bearings, rings, pixels, ellipses, candidate grids. Nothing is drawn as a point
 *  that is none. */
import L from 'leaflet';
import { sourceName } from '../../shared/describe';
import { destination, ellipse, sector } from '../../shared/geo';
import { anchor, isPlace, sectorOf } from '../../shared/where';
import { BLUE, point, RED, ring, VIOLET } from './shapes';
import type { Camera, Fix, Incident, LatLon, Sector, Sighting } from '../../shared/types';

/** How far each piece of evidence reaches; drawn strongly for the incident in hand only. */
export function evidence(incident: Incident, strong: boolean, cameras: ReadonlyMap<string, Camera>, group: L.LayerGroup): void {
  for (const sighting of incident.sightings) {
    const shape = locus(sighting, strong)?.addTo(group);
    if (shape && strong) shape.bindTooltip(sourceName(sighting, cameras), { sticky: true });
  }
  spread(incident.fix, incident.sightings, strong, group);
  if (incident.proposal && strong) spread(incident.proposal.fix, incident.sightings, false, group);
  if (strong) whereabouts(incident, group);
}

function locus({ locus: it }: Sighting, strong: boolean): L.Path | null {
  const style = { color: RED, weight: strong ? 1.5 : 1, opacity: strong ? 0.8 : 0.3, dashArray: '6 4', fillColor: RED, fillOpacity: strong ? 0.1 : 0.03, interactive: strong };
  switch (it.shape) {
    case 'sector':
      return L.polygon(ring(sector(it.apex, it.azimuth_deg, it.half_width_deg, it.near_m, it.far_m)), style);
    case 'pixel':
      return L.polygon(ring(ellipse(it.centre, it.track_m / 2, it.scan_m / 2, 0)), { ...style, color: VIOLET, fillColor: VIOLET });
    case 'unaimed':
      return L.circle(point(it.apex), { ...style, radius: it.far_m, fill: false });
    case 'disc':
      return null;
  }
}

/** A place as its ellipse, a bearing as the line along which the fire may be. */
function spread(fix: Fix, sightings: readonly Sighting[], strong: boolean, group: L.LayerGroup): void {
  const style = { color: RED, weight: strong ? 1.5 : 1, opacity: strong ? 0.9 : 0.4, fillOpacity: strong ? 0.08 : 0.03, fillColor: RED, interactive: false };
  const bearing = sectorOf(fix, sightings);
  if (bearing) L.polyline(line(bearing).map(point), { ...style, weight: strong ? 3 : 1.5, fill: false }).addTo(group);
  if (!isPlace(fix)) return;
  if (fix.spread?.shape === 'ellipse') L.polygon(ring(ellipse(fix.centre, fix.spread.along_m, fix.spread.across_m, fix.spread.azimuth_deg)), style).addTo(group);
  else L.circle(point(fix.centre), { ...style, radius: fix.radius_m }).addTo(group);
}

const line = (it: Sector): LatLon[] => [destination(it.apex, it.azimuth_deg, it.near_m), destination(it.apex, it.azimuth_deg, it.far_m)];

/** Where the ranger's phone last said it was. */
function whereabouts({ dispatch }: Incident, group: L.LayerGroup): void {
  const position = (dispatch?.arrived ?? dispatch?.claimed)?.position ?? dispatch?.acknowledged?.position;
  if (!dispatch || !position) return;
  L.circleMarker(point(position.at), { radius: 6, color: '#fff', weight: 2, fillColor: BLUE, fillOpacity: 1 })
    .bindTooltip(dispatch.ranger.name, { direction: 'right' })
    .addTo(group);
}

/** The register's code of a grid. */
const gridOf = ({ properties }: GeoJSON.Feature): string => String((properties as { code?: string } | null)?.code ?? '');

/** Grids it may lie in, the likelier the darker. */
export function candidates({ place }: Incident, grids: GeoJSON.FeatureCollection, group: L.LayerGroup): void {
  const weights = new Map(place.candidates.map((it) => [it.grid, it.weight]));
  const features = grids.features.filter((it) => weights.has(gridOf(it)));
  if (features.length === 0) return;
  L.geoJSON({ type: 'FeatureCollection', features } as GeoJSON.FeatureCollection, {
    interactive: false,
    style: (feature) => {
      const weight = (feature && weights.get(gridOf(feature))) ?? 0;
      return { color: RED, weight: 1.5, opacity: 0.55, fillColor: RED, fillOpacity: 0.06 + 0.34 * weight };
    },
  }).addTo(group);
}

/** To what could be the same fire. */
export function links(incident: Incident, all: readonly Incident[], group: L.LayerGroup): void {
  for (const other of all)
    if (incident.links.includes(other.id)) L.polyline([point(anchor(incident)), point(anchor(other))], { color: '#3a434b', weight: 2, dashArray: '2 7', interactive: false }).addTo(group);
}

/** What must be in sight to see the whole of it. */
export function extent(incident: Incident): LatLon[] {
  const bearing = isPlace(incident.fix) ? null : sectorOf(incident.fix, incident.sightings);
  return bearing ? line(bearing) : [anchor(incident)];
}
