/** Pure: outlines on a small picture. At a county's size a degree is as long everywhere. */

export interface Frame {
  height: number;
  x: (lon: number) => number;
  y: (lat: number) => number;
  west: number;
  north: number;
  /** Units of the picture a degree. */
  lonScale: number;
  latScale: number;
}

const MARGIN = 4;

function positions(geometry: GeoJSON.Geometry): GeoJSON.Position[] {
  if (geometry.type === 'Polygon') return geometry.coordinates.flat();
  if (geometry.type === 'MultiPolygon') return geometry.coordinates.flat(2);
  return [];
}

/** The picture that holds them all; null when there is nothing to hold. */
export function frame(geometries: readonly GeoJSON.Geometry[], width: number): Frame | null {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const geometry of geometries) {
    for (const [lon = 0, lat = 0] of positions(geometry)) {
      [west, east, south, north] = [Math.min(west, lon), Math.max(east, lon), Math.min(south, lat), Math.max(north, lat)];
    }
  }
  if (!(east > west && north > south)) return null;
  const lonScale = (width - 2 * MARGIN) / (east - west);
  const latScale = lonScale / Math.cos((((north + south) / 2) * Math.PI) / 180);
  return {
    height: Math.round((north - south) * latScale + 2 * MARGIN),
    x: (lon) => MARGIN + (lon - west) * lonScale,
    y: (lat) => MARGIN + (north - lat) * latScale,
    west,
    north,
    lonScale,
    latScale,
  };
}

export function paths(geometry: GeoJSON.Geometry, of: Frame): string {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
  const ring = (points: GeoJSON.Position[]): string => `M${points.map(([lon = 0, lat = 0]) => `${of.x(lon).toFixed(1)} ${of.y(lat).toFixed(1)}`).join('L')}Z`;
  return polygons.flat().map(ring).join('');
}

/** As cells of a form: five digits are a metre. */
export const placeAt = (x: number, y: number, of: Frame): { longitude: string; latitude: string } => ({
  longitude: (of.west + (x - MARGIN) / of.lonScale).toFixed(5),
  latitude: (of.north - (y - MARGIN) / of.latScale).toFixed(5),
});
