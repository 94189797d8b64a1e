/**
 * Pure: links that open a place in a map app, exactly as the vendors document them (§5.3 of the domain facts). All say
 * that the place is WGS-84, so the map shifts it itself: 600 m of shift, forgotten or done twice, is another hillside.
 */
import type { LatLon } from './types';

/** Who asks, as the vendors want to know it. */
const APP = 'huoyan';

/** Longitude first. The page of the marker is the one that documents `coordinate=wgs84`; from it the app navigates. */
export function amap(at: LatLon, name: string): string {
  return `https://uri.amap.com/marker?position=${degrees(at.lon_deg)},${degrees(at.lat_deg)}&name=${encodeURIComponent(name)}&coordinate=wgs84&callnative=1&src=${APP}`;
}

/** Latitude first. */
export function baidu(at: LatLon, name: string): string {
  const said = encodeURIComponent(name);
  return `http://api.map.baidu.com/marker?location=${degrees(at.lat_deg)},${degrees(at.lon_deg)}&title=${said}&content=${said}&coord_type=wgs84&output=html&src=webapp.${APP}.${APP}`;
}

/** Latitude first; `coord_type=1` is GPS. */
export function tencent(at: LatLon, name: string): string {
  return `https://apis.map.qq.com/uri/v1/routeplan?type=drive&to=${encodeURIComponent(name)}&tocoord=${degrees(at.lat_deg)},${degrees(at.lon_deg)}&coord_type=1&policy=0&referer=${APP}`;
}

/** Whatever map the phone has (RFC 5870: latitude first, WGS-84). */
export function geo(at: LatLon, name: string): string {
  const place = `${degrees(at.lat_deg)},${degrees(at.lon_deg)}`;
  return `geo:${place}?q=${place}(${encodeURIComponent(name)})`;
}

/** 10 cm; more digits than a fix has ever earned, and no exponent. */
const degrees = (value: number): string => value.toFixed(6);
