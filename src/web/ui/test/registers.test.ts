import { describe, expect, it } from 'vitest';
import { beginOf, byDay, days, endOf, plusDays, swapped, turned, weekOf, weeks } from '../registers/calendar';
import { choices, fields, registers, roleOf } from '../registers/fields';
import { frame, paths, placeAt } from '../registers/outline';
import { cellsOf, entryOf, isOther, matches, namedIn, nameOf, rebased, whole } from '../registers/rows';
import { en } from '../registers/words/en';
import { zh } from '../registers/words/zh';

const [leader = '', countyDuty = ''] = Object.keys(roleOf);
const shift = (key: string, cells: Record<string, string>) => ({ key, cells });
const same = (it: string): string => it;

describe('the rota as a calendar', () => {
  it('shows whole weeks from Monday, all that a month touches', () => {
    expect(weekOf('2026-11-30')).toBe('2026-11-30');
    expect(weekOf('2026-11-29')).toBe('2026-11-23');
    const november = weeks('2026-11-15', 'month');
    expect([november.length, november[0]![0], november.at(-1)!.at(-1)]).toEqual([6, '2026-10-26', '2026-12-06']);
    expect(weeks('2027-02-10', 'month')).toHaveLength(4);
    expect(weeks('2026-11-15', 'week')).toEqual([['2026-11-09', '2026-11-10', '2026-11-11', '2026-11-12', '2026-11-13', '2026-11-14', '2026-11-15']]);
  });
  it('turns by a month and keeps the day where there is one', () => {
    expect(turned('2026-01-31', 'month', 1)).toBe('2026-02-28');
    expect(turned('2026-01-15', 'month', -1)).toBe('2025-12-15');
    expect(turned('2026-12-31', 'week', 1)).toBe('2027-01-07');
    expect(plusDays('2028-02-28', 1)).toBe('2028-02-29');
  });
  it('puts the leader first, then the county, by the hour', () => {
    const list = byDay([
      shift('night', { date: '2026-11-30', role: countyDuty, begins: '20:00', person: 'a' }),
      shift('day', { date: '2026-11-30', role: countyDuty, begins: '08:00', person: 'b' }),
      shift('lead', { date: '2026-11-30', role: leader, person: 'c' }),
      shift('other', { date: '2026-12-01', role: leader, person: 'c' }),
    ]);
    expect(list.get('2026-11-30')!.map(({ key }) => key)).toEqual(['lead', 'day', 'night']);
    expect(list.get('2026-12-01')).toHaveLength(1);
  });
  it('swaps two people and nothing else', () => {
    const [one, other] = [shift('1', { date: '2026-11-30', role: countyDuty, person: 'wu', begins: '08:00' }), shift('2', { date: '2026-12-04', role: countyDuty, person: 'li' })];
    expect(swapped(one, other)).toEqual([
      { date: '2026-11-30', role: countyDuty, person: 'li', begins: '08:00' },
      { date: '2026-12-04', role: countyDuty, person: 'wu' },
    ]);
    expect(swapped(one, shift('3', { person: 'wu' }))).toBeNull();
  });
  it('lists the days of a stand-in, both ends', () => {
    expect(days('2026-11-30', '2026-12-02')).toEqual(['2026-11-30', '2026-12-01', '2026-12-02']);
    expect(days('2026-12-02', '2026-11-30')).toEqual([]);
    expect(days('2026-01-01', '2099-01-01')).toHaveLength(100);
  });
  it('counts days in county time, whatever the computer is set to', () => {
    expect(beginOf('2026-11-30')).toBe('2026-11-29T16:00:00.000Z');
    expect(endOf('2026-11-30')).toBe('2026-11-30T16:00:00.000Z');
  });
});

describe('an entry', () => {
  it('is its columns, or the properties of its shape, and goes back as it came', () => {
    const feature = { type: 'Feature', geometry: { type: 'Polygon', coordinates: [] }, properties: { code: 'g1', name: 'n', village: 'v' } };
    expect(cellsOf(feature)).toEqual({ code: 'g1', name: 'n', village: 'v' });
    expect(entryOf({ code: 'g1', name: 'm' }, feature)).toEqual({ ...feature, properties: { code: 'g1', name: 'm', village: 'v' } });
    expect(entryOf({ id: 'r1', phone: '  ' }, null)).toEqual({ id: 'r1' });
  });
  it('is found by several words in any column', () => {
    const cells = { id: 'R1', name: 'Zhang San', phone: '13900000001' };
    expect(matches(cells, '')).toBe(true);
    expect(matches(cells, 'zhang 0001')).toBe(true);
    expect(matches(cells, 'zhang 0002')).toBe(false);
  });
  it('is called by its name, a shift by day, duty and person', () => {
    expect(nameOf('people', 'r1', { name: 'Li' }, same)).toBe('Li');
    expect(nameOf('cameras', 'c1@default', {}, same)).toBe('c1@default');
    expect(nameOf('duty', 'k', { date: '2026-11-30', role: 'r', person: 'o1' }, () => 'Wu')).toBe('2026-11-30 r Wu');
  });
  it('keeps what somebody else has changed where it was not touched', () => {
    const base = { name: 'Li', phone: '1', village: 'a' };
    const mine = { name: 'Li', phone: '2', village: '' };
    expect(rebased(base, mine, { name: 'Li Si', phone: '3', village: 'a', township: 't' })).toEqual({ name: 'Li Si', phone: '2', village: '', township: 't' });
  });
  it('is another one when a column that identifies it changes', () => {
    expect(isOther('people', { id: 'r1', name: 'a' }, { id: 'r1', name: 'b' })).toBe(false);
    expect(isOther('people', { id: 'r1' }, { id: 'r2' })).toBe(true);
    expect(isOther('duty', { date: '2026-11-30', begins: '' }, { date: '2026-11-30' })).toBe(false);
  });
  it('that is new or gone is told by its cells, in the order of the form', () => {
    expect(whole('people', { township: 't', name: 'n', id: 'r1', odd: 'x' }, 'new')).toEqual([
      { column: 'id', before: '', after: 'r1' },
      { column: 'name', before: '', after: 'n' },
      { column: 'township', before: '', after: 't' },
      { column: 'odd', before: '', after: 'x' },
    ]);
  });
});

describe("the server's sentences", () => {
  it('stand beside the field whose header they name, in both languages', () => {
    const header = zh.fields['people']!['phone']!;
    expect(namedIn('people', `1: \u201c${header}\u201d 12`)).toBe('phone');
    expect(namedIn('people', `Entry 1: "${header}" cannot be "12"`)).toBe('phone');
    expect(namedIn('people', 'somebody was faster')).toBeNull();
  });
});

describe('the columns', () => {
  it('have a header and, where a word is chosen, the words in both languages', () => {
    for (const register of registers) {
      for (const { column, kind } of fields[register]) {
        expect(zh.fields[register]?.[column], `${register}.${column}`).toBeTruthy();
        expect(en.fields[register]?.[column], `${register}.${column}`).toBeTruthy();
        if (kind === 'choice') expect(choices(column).length, column).toBeGreaterThan(1);
        for (const it of choices(column)) expect(en.values[column]?.[it], it).toBeTruthy();
      }
    }
  });
  it('are those that the program writes', () => {
    expect(Object.values(roleOf)).toEqual(['county_leader', 'county_duty', 'ranger', 'backup_ranger', 'township_duty']);
  });
});

describe('the small map', () => {
  const square: GeoJSON.Polygon = { type: 'Polygon', coordinates: [[[110, 28], [111, 28], [111, 29], [110, 29], [110, 28]]] };
  it('draws outlines and gives back the place that was pressed', () => {
    const of = frame([square], 400)!;
    expect(of.height).toBeGreaterThan(400);
    expect(paths(square, of).match(/L/g)).toHaveLength(4);
    expect(placeAt(of.x(110.4), of.y(28.45), of)).toEqual({ longitude: '110.40000', latitude: '28.45000' });
  });
  it('draws nothing of nothing', () => expect(frame([], 400)).toBeNull());
});
