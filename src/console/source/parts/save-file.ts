// Files that the page makes.

/** Lets the browser save a text as a file. */
export function saveFile(text: string, type: string, name: string) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  // Not at once: the download begins after this task.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
