import { dictionary } from '../lang';
import { en } from './en';
import { zh } from './zh';

export const common = dictionary(zh, en);
export type Common = typeof zh;
