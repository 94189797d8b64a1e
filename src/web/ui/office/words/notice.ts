/** Words of danger levels, signals and bans. Names and colours: QX/T 77-2007, LY/T 2578-2016. */
import { dictionary } from '../../shared/lang';

export const zh = {
  title: '火险与禁火',
  level: (level: number) => `火险${'一二三四五'[level - 1] ?? level}级`,
  levelName: ['低', '较低', '较高', '高', '极高'],
  signal: { lifted: '预警解除', blue: '蓝色预警', yellow: '黄色预警', orange: '橙色预警', red: '红色预警' },
  ban: '禁火令',
  named: (what: string, name: string) => `${what}“${name}”`,
  partly: (what: string) => `${what}（局部）`,
  wholeCounty: '全县',
  issuedBy: (issuer: string) => `${issuer}发布`,
  from: (time: string) => `${time} 起`,
  until: (time: string) => `至 ${time}`,
  open: '未定截止',
  join: '、',
};

export const en: typeof zh = {
  title: 'Fire danger and bans',
  level: (level) => `Danger ${level}`,
  levelName: ['low', 'moderate', 'high', 'very high', 'extreme'],
  signal: { lifted: 'Signal lifted', blue: 'Blue signal', yellow: 'Yellow signal', orange: 'Orange signal', red: 'Red signal' },
  ban: 'Fire ban',
  named: (what, name) => `${what} "${name}"`,
  partly: (what) => `${what} (part)`,
  wholeCounty: 'whole county',
  issuedBy: (issuer) => `issued by ${issuer}`,
  from: (time) => `from ${time}`,
  until: (time) => `until ${time}`,
  open: 'no end given',
  join: ', ',
};

export const noticeWords = dictionary(zh, en);
