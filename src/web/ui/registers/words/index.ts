import { dictionary } from '../../shared/lang';
import { en } from './en';
import { zh } from './zh';

export const words = dictionary(zh, en);
