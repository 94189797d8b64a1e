import { describe, expect, it } from 'vitest';
import { aimed, pointsOf } from '../registers/visit';

describe('a camera is aimed', () => {
  it('by points that all have a place, as people write it', () => {
    const mark = (place: string) => ({ x: 0.25, y: 0.5, place });
    expect(pointsOf([mark('28.45012, 110.39876'), mark('')])).toBe(null);
    expect(pointsOf([])).toBe(null);
    expect(pointsOf([mark('\u5317\u7eac28.5 \u4e1c\u7ecf110.4')])).toEqual([{ x: 0.25, y: 0.5, at: { lat_deg: 28.5, lon_deg: 110.4 } }]);
  });

  it('and one point leaves the field of view as it is', () => {
    const aim = { azimuth_deg: 89.96, azimuth_error_deg: 0.04, field_of_view_deg: 60.02 };
    expect(aimed(aim, true)).toEqual({ azimuth: '90', azimutherror: '0.1', fieldofview: '60' });
    expect(aimed(aim, false)).toEqual({ azimuth: '90', azimutherror: '0.1' });
  });
});
