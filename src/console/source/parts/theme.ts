// Colour theme: light, dark, or that of the system. The choice is stored in the browser.
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const STORED = 'sallyport-theme';

export const theme = signal<Theme>('system');

export const restoreTheme = () => choose((localStorage.getItem(STORED) as Theme | null) ?? 'system');

export function choose(chosen: Theme) {
  theme.value = chosen;
  localStorage.setItem(STORED, chosen);
  document.documentElement.dataset.theme = chosen;
}
