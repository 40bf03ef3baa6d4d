// Language of the pages: the first language of the browser that has texts, or else English.
import { en } from './en';
import { ko } from './ko';

export type Texts = typeof en;

const languages: Record<string, Texts> = { en, ko };

export const language =
  navigator.languages.map(tag => tag.split('-')[0]!.toLowerCase()).find(tag => Object.hasOwn(languages, tag)) ?? 'en';

export const texts = languages[language] ?? en;
