import { afterEach, describe, expect, it } from 'vitest';
import { said, strongest } from '../office/say/notices';
import { lang } from '../shared/lang';
import type { InForce } from '../shared/types';

const NOW = Date.parse('2026-11-21T06:00:00Z');
const notice = { areas: [], issuer: '县气象局', from: '2026-11-20T16:00:00Z', until: null, why: null };
const held: InForce = {
  danger: [
    { ...notice, level: 5, areas: ['凤滩镇', 'WG-2'], until: '2026-11-21T12:00:00Z', why: '连续晴热' },
    { ...notice, level: 4 },
  ],
  signals: [{ ...notice, colour: 'orange' }],
  bans: [{ ...notice, name: '冬季禁火令' }],
};

describe('what is proclaimed', () => {
  afterEach(() => void (lang.value = 'zh'));

  it('stands in the header as the strongest of each kind, and says when it is only a part', () => {
    expect(strongest(held, NOW).map(({ tone, short }) => [tone, short])).toEqual([
      ['level-5', '火险五级（局部）'],
      ['signal-orange', '橙色预警'],
      ['ban', '禁火令'],
    ]);
    expect(strongest({ danger: [], signals: [], bans: [] }, NOW)).toEqual([]);
  });

  it('is whole on a press: ground, issuer, hours, reason, in either language', () => {
    const whole = (): string[] => said(held, NOW, (area) => (area === 'WG-2' ? '大坪村 2号' : area)).map((it) => it.whole.replace(/\u2002/g, ' | '));
    expect(whole()[0]).toBe('火险五级 极高 | 凤滩镇、大坪村 2号 | 县气象局发布 | 00:00:00 起 至 20:00:00 | 连续晴热');
    expect(whole()[1]).toBe('火险四级 高 | 全县 | 县气象局发布 | 00:00:00 起 未定截止');
    lang.value = 'en';
    expect(whole()[3]).toBe('Fire ban "冬季禁火令", whole county, issued by 县气象局, from 00:00:00 no end given');
  });
});
