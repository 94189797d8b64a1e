import { afterEach, describe, expect, it } from 'vitest';
import { lang } from '../shared/lang';
import { deciding } from '../office/intent';
import { because, isNews } from '../office/say/because';
import { inWords } from '../office/say/log';
import { dispatch, incident, iso, sighting } from './incidents';
import type { LogEntry } from '../shared/types';

afterEach(() => void (lang.value = 'zh'));
const it0 = incident('a', { past_dispatches: [dispatch(0)], sightings: [sighting('cam', 0.8)] });

describe('why he, why nobody', () => {
  it.each([
    ['auto', 'satellite', '卫星线索按本县规则直接派发', "Satellite: dispatched at once by the county's rules"],
    ['officer_then_auto', 'camera 120', '摄像机线索先由值班员研判，2 分钟无人处理后可自动派发', 'Camera: an officer looks first; after 2 min it may be dispatched automatically'],
    ['low_score', '38 < 40', '优先级 38，不到自动派发的 40', 'Priority 38, below the 40 needed for automatic dispatch'],
    ['grid_likeliest', '官庄镇大坪村 3号网格 62%', '最可能在 官庄镇大坪村 3号网格 62%', 'Most likely in 官庄镇大坪村 3号网格 62%'],
    ['took_over', 'zhou', '接替 Zhou：先应答者前往', 'Took over from Zhou: whoever answers first goes'],
    ['second_opinion_agrees', '0.93', '复核网络认为是烟（0.93）', 'The second network considers it smoke (0.93)'],
    ['second_opinion_holds', '0.21', '复核网络存疑（0.21），不自动派单，等值班员研判', 'The second network doubts that it is smoke (0.21): not dispatched automatically, an officer looks'],
    ['second_opinion_missing', 'no_past', '未复核：这个视野还没有可比较的早先画面', 'No second opinion: no earlier picture of this view to compare with yet'],
    ['no_ranger', '', '没有可派的护林员', 'There is no ranger to send'],
  ])('%s "%s" is a sentence in both languages', (code, value, zh, en) => {
    expect(because({ code, value }, it0)).toBe(zh);
    lang.value = 'en';
    expect(because({ code, value }, it0)).toBe(en);
  });

  it('shows a code that it does not know with its value', () => {
    expect(because({ code: 'moon_phase', value: 'full' }, it0)).toBe('moon phase full');
    expect(because({ code: 'moon_phase', value: '' }, it0)).toBe('moon phase');
  });

  it('keeps quiet about a model that has no second network, and about nothing else', () => {
    const news = ['no_verifier', 'no_past', 'failed'].filter((value) => isNews({ code: 'second_opinion_missing', value }));
    expect(news).toEqual(['no_past', 'failed']);
    expect(isNews({ code: 'officer_first', value: 'no_verifier' })).toBe(true);
  });

  it('has words for every code of the rule of sending', () => {
    const codes = ['auto', 'officer_first', 'digest', 'pixels', 'continuous', 'known_heat_source', 'approved_burn', 'burn_in_ban', 'masked', 'verified_lately', 'look_alike', 'static_heat', 'border', 'outside_county', 'no_bearing', 'flood', 'no_ranger', 'all_declined', 'nearest_grid', 'grid_unique', 'officer', 'relocated', 'second_opinion_agrees', 'second_opinion_doubts', 'second_opinion_holds', 'second_opinion_missing'];
    for (const code of codes) expect(because({ code, value: 'x' }, it0), code).not.toMatch(/^[a-z ]+ x$/);
  });
});

describe('the log', () => {
  const said = (event: LogEntry['event']): string => inWords({ at: iso(0), actor: { kind: 'system' }, name: null, happened_at: null, event }, it0, { categories: [], cameras: new Map() });
  it.each([
    [{ type: 'relocated', place: { name: '白岩' }, tell_ranger: true }, '位置更正：白岩，通知护林员'],
    [{ type: 'struck_out', sighting: 'cam0.8', reason: '' }, '误并剔除 cam'],
    [{ type: 'rang', matter: 'review', round: 1, tell: ['county_duty', 'next_duty'], channel: 'voice' }, '待研判，第 2 次呼叫：县值班员、下一班值班员（语音）'],
    [{ type: 'undelivered', person: 'zhou', role: 'ranger', channel: 'sms', why: '空号' }, '未送达 护林员 Zhou（短信）：空号'],
    [{ type: 'arrived', distance_m: 1900, unproven: 'far' }, '声称到达（太远，距可能着火范围约1.9公里）'],
    [{ type: 'arrived', distance_m: 0 }, '已到达，在可能着火范围内'],
    [{ type: 'dispatched', ranger: 'zhou', neighbours: [{ grid: 'g', ranger: 'li', go: false }] }, '派发 Zhou，告知邻格 li'],
    [{ type: 'intended', intent: 'false_alarm', until: '2026-11-21T06:01:00Z' }, '正在决定（误报关闭），14:01:00 前不会自动派发'],
    [{ type: 'of_tomorrow' }, 'of_tomorrow'],
  ] as [LogEntry['event'], string][])('%o is %s', (event, words) => expect(said(event)).toBe(words));
});

describe('deciding', () => {
  const chosen = { id: 'a', state: 'needs_review' as const };
  it('is the open panel of what waits for a look, or a false alarm that can still be undone', () => {
    expect(deciding('dispatch', chosen, [])).toEqual([{ incident: 'a', intent: 'dispatch' }]);
    expect(deciding('note', chosen, [])).toEqual([]);
    expect(deciding('dispatch', { id: 'a', state: 'dispatched' }, [])).toEqual([]);
    const waiting = { incident: 'b', path: '/incidents/b/false-alarm', status: 'waiting' };
    expect(deciding(null, chosen, [waiting, { ...waiting, status: 'sending' }])).toEqual([{ incident: 'b', intent: 'false_alarm' }]);
  });
});
