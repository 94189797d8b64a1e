import { describe, expect, it } from 'vitest';
import { amap, baidu, geo, tencent } from '../shared/navigation';

const at = { lat_deg: 28.4526, lon_deg: 110.3938 };
const name = '官庄镇大坪村 1号网格';
const said = '%E5%AE%98%E5%BA%84%E9%95%87%E5%A4%A7%E5%9D%AA%E6%9D%91%201%E5%8F%B7%E7%BD%91%E6%A0%BC';

describe('links into map apps', () => {
  it.each([
    ['高德', amap, `https://uri.amap.com/marker?position=110.393800,28.452600&name=${said}&coordinate=wgs84&callnative=1&src=huoyan`],
    ['百度', baidu, `http://api.map.baidu.com/marker?location=28.452600,110.393800&title=${said}&content=${said}&coord_type=wgs84&output=html&src=webapp.huoyan.huoyan`],
    ['腾讯', tencent, `https://apis.map.qq.com/uri/v1/routeplan?type=drive&to=${said}&tocoord=28.452600,110.393800&coord_type=1&policy=0&referer=huoyan`],
    ['geo', geo, `geo:28.452600,110.393800?q=28.452600,110.393800(${said})`],
  ])('%s is as its vendor documents it', (_, link, expected) => {
    expect(link(at, name)).toBe(expected);
  });

  it('takes a name for a name', () => {
    expect(tencent(at, 'a&tocoord=0,0#')).toContain('to=a%26tocoord%3D0%2C0%23&tocoord=28.452600,110.393800');
    expect(geo({ lat_deg: 1e-7, lon_deg: -1e-7 }, 'x')).toBe('geo:0.000000,-0.000000?q=0.000000,-0.000000(x)');
  });
});
