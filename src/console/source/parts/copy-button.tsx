// Button that copies a text, and says so.
import { useState } from 'preact/hooks';

interface Props {
  text: string;
  label: string;
  copied: string;
}

export function CopyButton({ text, label, copied }: Props) {
  const [isCopied, setCopied] = useState(false);
  // Browsers have no clipboard for pages without TLS.
  if (!navigator.clipboard) return null;
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <>
      <button type="button" onClick={copy}>
        {isCopied ? copied : label}
      </button>
      <span class="unseen" role="status">
        {isCopied && copied}
      </span>
    </>
  );
}
