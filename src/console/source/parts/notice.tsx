// Notice of a completed action, shown for eight seconds and announced to screen readers.
import { signal } from '@preact/signals';

import { texts } from '../texts';

const LASTS = 8_000;

const notice = signal('');
let timer: ReturnType<typeof setTimeout>;

export function say(text: string) {
  clearTimeout(timer);
  notice.value = text;
  timer = setTimeout(() => (notice.value = ''), LASTS);
}

export function Notice() {
  return (
    <div role="status">
      {notice.value && (
        <p>
          {notice.value}
          <button type="button" class="plain" aria-label={texts.dismiss} onClick={() => (notice.value = '')}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
