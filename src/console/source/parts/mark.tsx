// The product's mark.
export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" />
    <path d="M7 25V13a4.5 4.5 0 0 1 9 0v12M16 25V13a4.5 4.5 0 0 1 9 0v12M5 25h22" />
  </svg>
);
