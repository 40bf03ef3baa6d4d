// Form that adds an authenticator app: its QR code and secret, and the first code that the app shows.
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

import { ActionForm } from './action-form';
import { CodeField, codeIn } from './code-field';
import { CopyButton } from './copy-button';

export interface AddAppTexts {
  how: string;
  loading: string;
  qrCode: string;
  secret: string;
  secretHow: string;
  copy: string;
  copied: string;
  /** Link for an app on the same device. */
  open: string;
  code: string;
  codeHint: string;
  missingCode: string;
  submit: string;
  busy: string;
  again: string;
}

/** Answer to the mutation `beginTotp`. */
export interface BegunApp {
  challengeToken: string | null;
  secret: string | null;
  uri: string | null;
  qrCode: string | null;
}

interface Props {
  texts: AddAppTexts;
  /** Requests the secret. Returns the message of what is wrong, if anything is. */
  begin: () => Promise<BegunApp | string | undefined>;
  /** Sends the first code. Returns the message of what is wrong, if anything is. */
  confirm: (challengeToken: string, code: string) => Promise<string | undefined>;
  failed: (error: Error) => string;
  /** Further buttons, before the button of the form. */
  beside?: ComponentChildren;
}

export function AddApp({ texts, begin, confirm, failed, beside }: Props) {
  const [begun, setBegun] = useState<BegunApp>();
  const [problem, setProblem] = useState('');
  const load = async () => {
    setProblem('');
    try {
      const answer = await begin();
      if (typeof answer === 'string') setProblem(answer);
      else setBegun(answer);
    } catch (error) {
      setProblem(failed(error as Error));
    }
  };
  useEffect(() => void load(), []);
  if (!begun) {
    return (
      <>
        <p class="problem" role="alert">
          {problem}
        </p>
        {!problem && <p role="status">{texts.loading}</p>}
        <p class="actions">
          {beside}
          {problem && (
            <button type="button" onClick={load}>
              {texts.again}
            </button>
          )}
        </p>
      </>
    );
  }
  const { challengeToken, secret, uri, qrCode } = begun;
  const act = async (typed: FormData) => {
    const code = codeIn(typed);
    return code ? confirm(challengeToken!, code) : texts.missingCode;
  };
  return (
    <ActionForm submit={texts.submit} busy={texts.busy} act={act} failed={failed} beside={beside}>
      <p>{texts.how}</p>
      {qrCode && <QrCode document={qrCode} label={texts.qrCode} />}
      <div class="secret">
        <p>
          <a href={uri!}>{texts.open}</a>
        </p>
        <p>{texts.secretHow}</p>
        <p class="copied">
          <code aria-label={texts.secret}>{inFours(secret!)}</code> <CopyButton text={secret!} label={texts.copy} copied={texts.copied} />
        </p>
      </div>
      <CodeField label={texts.code} hint={texts.codeHint} />
    </ActionForm>
  );
}

/** As people type it. Apps ignore the spaces. */
const inFours = (secret: string) => secret.match(/.{1,4}/g)!.join(' ');

/**
 * QR code of an SVG document of the service. It is drawn anew, because the content security policy of the page
 * allows neither images from data nor markup from texts. Without the parts that are expected, nothing is drawn.
 */
function QrCode({ document, label }: { document: string; label: string }) {
  const area = /\bviewBox="([\d. ]+)"/.exec(document)?.[1];
  const modules = /<path\b[^>]*\bd="([^"]+)"/.exec(document)?.[1];
  if (!area || !modules) return null;
  return (
    <svg class="qr" viewBox={area} role="img" aria-label={label} shape-rendering="crispEdges">
      <path d={modules} />
    </svg>
  );
}
